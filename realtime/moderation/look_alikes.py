"""Letters that look like Latin ones: a small part of the Unicode confusables, https://www.unicode.org/reports/tr39/.

Kept by hand, since the libraries of it are years old or a hundred times larger. Full-width letters, mathematical
alphabets, and rings around letters are not here: NFKD takes care of those.
"""

# Taken for the letter in any typeface.
STRICT = dict(
    zip(
        "асеорхуѕіјһԁԛԝӏ" + "οαινρυχϲϳκτ" + "օսոհցզ",
        "aceopxysijhdqwl" + "oaivpuxcjkt" + "ounhgq",
        strict=True,
    )
)
# Only among Latin letters: as capitals they are the same, or they are drawn alike.
LOOSE = STRICT | dict(
    zip(
        "вкмнтгзбпчшщящ" + "βγδεζηθλμνπσςφω" + "ғҝңүұєєґ",
        "bkmhtr36nywwяw" + "bydezholmvnosfw" + "fknyyeer",
        strict=True,
    )
)
LOOSE = {letter: latin for letter, latin in LOOSE.items() if latin.isascii() and latin.isalpha()}

# Latin letters that no normalization takes apart, small capitals among them.
LATIN = dict(
    zip(
        "øłđħŧıɑɡɩʀᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘᴛᴜᴠᴡʏᴢ",
        "oldhtiagirabcdefghijklmnoptuvwyz",
        strict=True,
    )
) | {
    chr(start + index): chr(ord("a") + index)
    for start in (0x1F150, 0x1F170)  # white letters on black circles and squares
    for index in range(26)
}

# Digits and signs for letters, inside words that have letters. `1` and `|` may be an `l` as well.
LEET = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i", "|": "i"}
OTHER_LEET = LEET | {"1": "l", "|": "l"}
SIGNS = frozenset("@$!|")

# Marks set over or under any letter, as in zalgo. Vowel signs of Hindi or Thai are no decoration and not among them.
DECORATIONS = (
    (0x0300, 0x036F),
    (0x0483, 0x0489),
    (0x0610, 0x061A),
    (0x064B, 0x065F),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF),
    (0xFE00, 0xFE0F),
    (0xFE20, 0xFE2F),
    (0xE0100, 0xE01EF),
)
# Blank, though Unicode calls them letters, marks or symbols.
BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u0640")
_MARKS = frozenset(chr(point) for first, last in DECORATIONS for point in range(first, last + 1))
is_decoration = _MARKS.__contains__
