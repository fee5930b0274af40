"""Characters that a charset lacks: a fixed transliteration, then `?` (contracts: tamara 3.8)."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_LATIN = {
    "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ħ": "h", "Ħ": "H", "ı": "i", "ŋ": "n", "Ŋ": "N", "ŧ": "t", "Ŧ": "T",
    "ĸ": "k", "ſ": "s", "ə": "e", "Ə": "E", "ẞ": "SS", "ĳ": "ij", "Ĳ": "IJ", "ŉ": "'n",
    "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-",
    "…": "...", "•": "·", "\u200b": "", "\u200e": "", "\u200f": "", "\ufeff": "",
}  # fmt: skip
_CYRILLIC = """а a б b в v г g д d е e ё e ж zh з z и i й i к k л l м m н n о o п p р r с s т t у u ф f х kh ц ts ч ch ш sh
щ shch ъ _ ы y ь _ э e ю iu я ia і i ї i є ie ґ g ў u љ lj њ nj ђ dj ћ c џ dz ј j"""
_GREEK = "α a β v γ g δ d ε e ζ z η i θ th ι i κ k λ l μ m ν n ξ x ο o π p ρ r σ s ς s τ t υ y φ f χ ch ψ ps ω o"
_HEBREW = """א a ב b ג g ד d ה h ו v ז z ח ch ט t י y כ k ך k ל l מ m ם m נ n ן n ס s ע a פ p ף f צ ts ץ ts ק k ר r ש sh
ת t"""
_PAIRS = f"{_CYRILLIC} {_GREEK} {_HEBREW}".split()
_ROMANISED = {letter: sound.replace("_", "") for letter, sound in zip(_PAIRS[::2], _PAIRS[1::2], strict=True)}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def fitted(text: str, charset: str) -> str:
    """`text` in NFC, on one line, with every character that `charset` lacks transliterated or, at last, as `?`."""
    composed = unicodedata.normalize("NFC", _CONTROL.sub(" ", text))
    try:
        composed.encode(charset)
    except UnicodeEncodeError:
        return "".join(_replaced(character, charset) for character in composed)
    return composed


def loses(text: str, charset: str) -> bool:
    """Whether some character has no transliteration and becomes `?` (V030)."""
    return fitted(text, charset).count("?") > text.count("?")


@lru_cache(maxsize=4096)
def _replaced(character: str, charset: str) -> str:
    if _fits(character, charset):
        return character
    if character in _LATIN:
        return _LATIN[character]
    bare = "".join(c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c))
    sound = "".join(_sound(c) for c in bare)
    if bare and _fits(sound, charset):
        return sound
    return "" if unicodedata.combining(character) else "?"


def _sound(character: str) -> str:
    if character in _LATIN:
        return _LATIN[character]
    sound = _ROMANISED.get(character.lower(), character)
    return sound.capitalize() if character.isupper() and character.lower() in _ROMANISED else sound


def _fits(text: str, charset: str) -> bool:
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return False
    return True
