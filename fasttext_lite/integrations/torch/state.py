"""The state of layers over stored rows: only rows that were changed are kept, sent and copied."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from fasttext_lite.integrations.torch.storage import Changes, SharedFile, Stored, is_aligned

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import Self

    from fasttext_lite.integrations.torch.storage import Options

__all__ = ["StoredRows"]


class StoredRows(nn.Module):  # type: ignore[misc]
    """A layer whose parameters are matrices that other processes can open themselves.

    Its pickle, its copies and its `state_dict` hold the rows that differ from those of the file;
    the pickle of a shared layer the paths of its shared files.
    """

    _options: Options
    _stored: dict[str, Stored]

    def _open(self, made: Mapping[str, SharedFile]) -> None:
        """Make the parameters; `made` has the files of those that another process shares."""
        raise NotImplementedError

    def _settle(self) -> None:
        """Adapt to the place and type of the parameters."""

    def _fingerprint(self) -> Tensor:
        """Return what tells the file of the rows from others: int64, shape (2,)."""
        raise NotImplementedError

    def _store(self, name: str, stored: Stored) -> None:
        """Make a parameter of a matrix, if it can be one."""
        self._stored = vars(self).get("_stored", {})
        if stored.tensor is not None:
            parameter = nn.Parameter(stored.tensor, requires_grad=self._options.trained)
            self.register_parameter(name, parameter)
            stored.version = parameter._version
            self._stored[name] = stored

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        super()._apply(fn, recurse)
        self._settle()
        return self

    @property
    def shared(self) -> bool:
        """Whether other processes see what is written to the rows."""
        return self._options.shared

    def changes(self) -> dict[str, Changes]:
        """Find the rows that differ from those of the file, by comparing all of them.

        Returns
        -------
        dict of str to Changes
            For each parameter ``rows``, int64, ascending, and ``values``, shape (rows, dim).
        """
        return {name: self._changes(name) for name in self._stored}

    def _changes(self, name: str) -> Changes:
        stored, parameter = self._stored[name], self._parameter(name)
        read_only = not (self._options.trained or parameter.requires_grad)
        if read_only and stored.is_home(parameter) and parameter._version == stored.version:
            empty = torch.empty(0, parameter.shape[1], dtype=parameter.dtype)
            return Changes(torch.empty(0, dtype=torch.int64), empty)
        return stored.changes(parameter)

    def _parameter(self, name: str) -> nn.Parameter:
        parameter: nn.Parameter = getattr(self, name)
        return parameter

    def _write(self, name: str, changes: Changes) -> None:
        """Let a parameter differ from the file in these rows, and in no others."""
        parameter = self._parameter(name)
        now = self._changes(name).rows
        if not len(now) and not len(changes.rows):
            return
        if not is_aligned(parameter):
            self._stored[name] = self._stored[name].aligned()
            parameter.data = self._stored[name].tensor
        self._stored[name].restore(parameter, now[~torch.isin(now, changes.rows)])
        with torch.no_grad():
            values = changes.values.to(parameter.device, parameter.dtype)
            parameter[changes.rows.to(parameter.device)] = values
        self._settle()

    def _write_all(self, name: str, whole: Tensor) -> None:
        """Write a whole matrix, but only the rows that differ."""
        self._write(name, self._stored[name].changes(whole))

    def _save_to_state_dict(
        self, destination: dict[str, Any], prefix: str, keep_vars: bool
    ) -> None:
        for name, (rows, values) in self.changes().items():
            destination[f"{prefix}{name}.rows"] = rows
            destination[f"{prefix}{name}.values"] = values
        destination[f"{prefix}file"] = self._fingerprint()

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        own = (key for key in state_dict if key.startswith(prefix))
        given = {key.removeprefix(prefix): state_dict[key] for key in own}
        file = given.pop("file", None)
        wrong = file is not None and not torch.equal(file.cpu(), self._fingerprint())
        if wrong:
            error_msgs.append(f"{prefix}file: these are changes to the rows of another model")
        for name in self._stored:
            whole = given.pop(name, None)
            rows, values = (given.pop(f"{name}.{part}", None) for part in Changes._fields)
            problem = None
            if whole is not None:
                problem = self._misfit(name, whole)
                if problem is None:
                    self._write_all(name, whole)
            elif rows is None or values is None:
                missing_keys.append(f"{prefix}{name}.{'values' if values is None else 'rows'}")
            else:
                problem = self._misfit(name, values, rows)
                if problem is None and not wrong:
                    self._write(name, Changes(rows.cpu(), values))
            if problem is not None:
                error_msgs.append(f"{prefix}{name}: {problem}")
        if strict:
            unexpected_keys.extend(prefix + key for key in given)

    def _misfit(self, name: str, values: Tensor, rows: Tensor | None = None) -> str | None:
        """Say why these rows cannot be those of a parameter; None if they can."""
        count, dim = self._parameter(name).shape
        wanted = (count if rows is None else len(rows), dim)
        if tuple(values.shape) != wanted or not values.is_floating_point():
            return f"the values are {values.dtype}, {tuple(values.shape)}, not float, {wanted}"
        if rows is None or not len(rows):
            return None
        if rows.dtype != torch.int64 or rows.ndim != 1:
            return f"the rows are {rows.dtype}, {tuple(rows.shape)}, not int64 of one dimension"
        if int(rows.min()) < 0 or int(rows.max()) >= count:
            return f"row {int(rows.max())} is outside the {count} rows"
        return None

    def __getstate__(self) -> dict[str, Any]:
        return self._state(share=self.shared)

    def _state(self, *, share: bool) -> dict[str, Any]:
        """Return the attributes, with what is needed to open the parameters again."""
        state = vars(self).copy()
        del state["_stored"]
        state["_parameters"] = parameters = state["_parameters"].copy()
        state["_sent"] = sent = {}
        for name, stored in self._stored.items():
            parameter = self._parameter(name)
            if stored.is_home(parameter):
                parameters[name] = None
                content = stored.made if share else self._changes(name)
                sent[name] = content, parameter.requires_grad
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        sent = state.pop("_sent")
        super().__setstate__(state)
        moved = {name: held for name, held in self._parameters.items() if held is not None}
        self._open({name: made for name, (made, _) in sent.items() if isinstance(made, SharedFile)})
        for name, parameter in moved.items():
            self.register_parameter(name, parameter)
        for name, (content, requires_grad) in sent.items():
            if isinstance(content, Changes):
                self._write(name, content)
            self._parameter(name).requires_grad_(requires_grad)
        self._settle()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        made = type(self).__new__(type(self))
        memo[id(self)] = made
        made.__setstate__(copy.deepcopy(self._state(share=False), memo))
        return made
