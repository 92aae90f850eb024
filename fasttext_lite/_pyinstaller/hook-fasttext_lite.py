"""What PyInstaller cannot see: the imports of the compiled modules, and the sample model."""  # noqa: N999

from PyInstaller.utils.hooks import collect_data_files, collect_submodules

hiddenimports = collect_submodules("fasttext_lite._core")
datas = collect_data_files(
    "fasttext_lite", includes=["data/*", "integrations/serving/*.html", "maps/page/*"]
)
