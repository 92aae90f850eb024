"""Training texts in many scripts, and strings that no model was trained on."""

from __future__ import annotations

import random

SENTENCES = {
    "en": (
        "the old lighthouse keeper writes a letter to his sister every winter",
        "nobody knows where the grey cat sleeps when it rains",
        "we don't need 12 more boxes, said the teacher, we need shelves",
        "the train was late and the bread was still warm",
    ),
    "de": (
        "der alte Bäcker öffnet früh am Morgen seine Tür",
        "im Garten wächst ein großer Apfelbaum neben der Straße",
        "wir fahren übermorgen mit dem Zug über die Grenze",
        "die Straßenbahnhaltestelle liegt hinter dem Rathaus",
    ),
    "fr": (
        "l'élève a oublié son cahier près de la fenêtre",
        "où sont passées les clés du garçon naïf",
        "la forêt était calme après l'orage d'été",
    ),
    "es": (
        "mañana por la mañana el niño leerá un cuento",
        "¿ dónde está la bicicleta de la señora ?",
        "el pingüino no vuela pero nada muy bien",
    ),
    "tr": (
        "İstanbul'da ılık bir akşam çayı içtik",
        "küçük kız gülümseyerek şarkı söylüyor",
        "yağmurdan sonra güneş yeniden açtı",
    ),
    "vi": (
        "bà ngoại kể chuyện cổ tích cho các cháu nghe",
        "trời hôm nay nắng đẹp và gió nhẹ",
        "con mèo đen ngủ trên mái nhà",
    ),
    "el": (
        "η θάλασσα είναι ήσυχη το πρωί",
        "ο ψαράς γύρισε με άδειο καλάθι",
        "πού πήγαν τα παιδιά μετά το σχολείο",
    ),
    "ru": (
        "старый мост через реку закрыли на ремонт",
        "ёжик нёс яблоко в свою норку",
        "завтра мы поедем к бабушке в деревню",
    ),
    "ar": (
        "الكتاب على الطاولة قرب النافذة",
        "ذهبت الطالبة إلى المكتبة صباحا",
        "السماء صافية والهواء بارد",
    ),
    "he": (
        "הילדה קוראת ספר בגינה",
        "החתול ישן על הספה כל היום",
        "מחר נלך לים עם חברים",
    ),
    "hi": (
        "बच्चे मैदान में क्रिकेट खेल रहे हैं",
        "आज बाज़ार में ताज़े आम मिलते हैं",
        "नदी का पानी बहुत ठंडा है",
    ),
    "th": (
        "แมว ตัว เล็ก นอน อยู่ บน หลังคา",
        "วันนี้ ฝน ตก หนัก มาก",
        "เด็ก ๆ ไป โรงเรียน ด้วย รถไฟ",
    ),
    "zh": (
        "小 猫 在 屋顶 上 睡觉",
        "明天 我们 坐 火车 去 看 大海",
        "图书馆 里 很 安静 。",
    ),
    "ja": (
        "ねこ は やね の うえ で ねむっている",
        "あした 電車 で 海 へ 行きます",
        "図書館 は とても 静か です",
    ),
    "ko": (
        "고양이가 지붕 위에서 자고 있다",
        "내일 우리는 기차를 타고 바다에 간다",
        "도서관은 아주 조용하다",
    ),
    "ka": (
        "კატა სახურავზე სძინავს",
        "ხვალ ზღვაზე მატარებლით წავალთ",
    ),
    "xx": (
        "🙂 👩‍👩‍👧 🇩🇪 👍🏽 🎉 ☕️",
        "e\u0301te\u0301 A\u030angstro\u0308m n\u0303andu\u0301 q\u0323\u0307",
        "𝔊𝔬𝔱𝔥𝔦𝔠 𐍈𐌰𐌹 𒀀𒀁 a1b2 --- ... <tag> ><",
    ),
}
SCRIPTS = (
    range(0x20, 0x7F),
    range(0xC0, 0x250),
    range(0x300, 0x370),
    range(0x370, 0x400),
    range(0x400, 0x500),
    range(0x5D0, 0x5EB),
    range(0x620, 0x650),
    range(0x904, 0x940),
    range(0xE01, 0xE3B),
    range(0x10D0, 0x10FB),
    range(0x3041, 0x30FF),
    range(0x4E00, 0x4F00),
    range(0xAC00, 0xAD00),
    range(0x1F600, 0x1F650),
    range(0x1F3FB, 0x1F400),
    range(0x200B, 0x2010),
)
CURIOSITIES = (
    b"",
    b"</s>",
    b"<",
    b">",
    b"<>",
    b"a",
    b" ",
    b"two words",
    b"a\0b",
    b"__label__unheard",
    b"\x80",
    b"\xbf\xbf\xbf",
    b"a\x80",
    b"\xe4\xb8",
    b"\xf0\x9f\x99",
    b"\xc3(",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    "é".encode(),
    "e\u0301".encode(),
    "ß".encode(),
    "水".encode(),
    "🙂".encode(),
    "👩‍👩‍👧".encode(),
    "\u0301".encode(),
    b"x" * 10_000,
    "дом水🙂".encode() * 2_500,
)


def plain_lines(count: int = 200, seed: int = 0) -> list[str]:
    """Return lines of mixed words, for training without labels."""
    return [line for _, line in _shuffled_lines(count, seed)]


def language_lines(count: int = 200, seed: int = 0) -> list[str]:
    """Return lines labelled with their language."""
    return [f"__label__{language} {line}" for language, line in _shuffled_lines(count, seed)]


def topic_lines(labels: int = 300, seed: int = 0) -> list[str]:
    """Return lines with ``labels`` different labels: enough to quantise an output matrix."""
    lines = _shuffled_lines(2 * labels, seed)
    return [f"__label__{i % labels:03} {line}" for i, (_, line) in enumerate(lines)]


def labelled_texts(count: int = 500) -> list[str]:
    """Return texts of one to thousands of words in many scripts, for predictions."""
    source = random.Random(count)
    lines = [line for _, line in _shuffled_lines(count, seed=1)]
    for i in range(count):
        words = lines[i].split()
        if i % 3 == 1:
            words += unknown_texts(source, 4)
        if i % 50 == 2:
            words += " ".join(source.choices(lines, k=300)).split()
        lines[i] = " ".join(words)
    return lines


def unknown_texts(source: random.Random, count: int) -> list[str]:
    """Return words, each of letters of one script."""
    scripts = source.choices(SCRIPTS[:-1], k=count)
    letters = [[chr(point) for point in script if chr(point).isalpha()] for script in scripts]
    return ["".join(source.choices(one or ["x"], k=source.randint(1, 9))) for one in letters]


def _shuffled_lines(count: int, seed: int) -> list[tuple[str, str]]:
    """Return languages and lines: two sentences with half of the words, in random order."""
    source = random.Random(seed)
    languages = list(SENTENCES)
    lines = []
    for i in range(count):
        language = languages[i % len(languages)]
        words = " ".join(source.sample(SENTENCES[language], 2)).split()
        lines.append((language, " ".join(source.sample(words, len(words) // 2 + 1))))
    return lines


def unknown_words(count: int = 2000, seed: int = 0) -> list[bytes]:
    """Return edge cases, words of one or several scripts, joined words, and random bytes."""
    source = random.Random(seed)
    known = [word for lines in SENTENCES.values() for line in lines for word in line.split()]
    words = list(CURIOSITIES)
    while len(words) < count:
        length = source.randint(1, 15)
        kind = source.randrange(4)
        if kind == 0:
            script = source.choice(SCRIPTS)
            words.append("".join(chr(source.choice(script)) for _ in range(length)).encode())
        elif kind == 1:
            scripts = source.choices(SCRIPTS, k=length)
            words.append("".join(chr(source.choice(script)) for script in scripts).encode())
        elif kind == 2:
            words.append((source.choice(known) + source.choice(known)).encode())
        else:
            words.append(bytes(source.randint(1, 255) for _ in range(length)))
    return words
