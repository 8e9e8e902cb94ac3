"""How vowels and consonants sound: formants, noise, voicing and durations.

Vowels are the Csound manual's (appendix "Formant Values"). Consonants follow Stevens, *Acoustic Phonetics* (1998), and
Klatt, "Software for a cascade/parallel formant synthesizer" (1980), rounded: one setting serves every voice.
"""

from __future__ import annotations

from dataclasses import dataclass

VOWELS = "aeiou"

# Frequencies, then bandwidths, of formants 1 to 5 in Hz.
FORMANTS = {
    "tenor": {
        "a": (650, 1080, 2650, 2900, 3250, 80, 90, 120, 130, 140),
        "e": (400, 1700, 2600, 3200, 3580, 70, 80, 100, 120, 120),
        "i": (290, 1870, 2800, 3250, 3540, 40, 90, 100, 120, 120),
        "o": (400, 800, 2600, 2800, 3000, 40, 80, 100, 120, 120),
        "u": (350, 600, 2700, 2900, 3300, 40, 60, 100, 120, 120),
    },
    "alto": {
        "a": (800, 1150, 2800, 3500, 4950, 80, 90, 120, 130, 140),
        "e": (400, 1600, 2700, 3300, 4950, 60, 80, 120, 150, 200),
        "i": (350, 1700, 2700, 3700, 4950, 50, 100, 120, 150, 200),
        "o": (450, 800, 2830, 3500, 4950, 70, 80, 100, 130, 135),
        "u": (325, 700, 2530, 3500, 4950, 50, 60, 170, 180, 200),
    },
    "bass": {
        "a": (600, 1040, 2250, 2450, 2750, 60, 70, 110, 120, 130),
        "e": (400, 1620, 2400, 2800, 3100, 40, 80, 100, 120, 120),
        "i": (250, 1750, 2600, 3050, 3340, 60, 90, 100, 120, 120),
        "o": (400, 750, 2400, 2600, 2900, 40, 80, 100, 120, 120),
        "u": (350, 600, 2400, 2675, 2950, 40, 80, 100, 120, 120),
    },
}


@dataclass(frozen=True)
class Noise:
    """Turbulence at a constriction.

    Attributes:
        low_hz: where its band begins.
        high_hz: where its band ends.
        level: standard deviation, relative to a full voice.
    """

    low_hz: float
    high_hz: float
    level: float


@dataclass(frozen=True)
class Consonant:
    """How one consonant sounds.

    Attributes:
        duration_s: from the sound before to the sound after.
        voicing: loudness of the voice in it, 0 to 1; a vowel has 1.
        formants: Hz of the three lowest, from and to which the vowels beside it glide.
        damping: how many times wider its formants are than a vowel's; side cavities and closed lips swallow sound.
        noise: turbulence, if any.
        release_s: plosives: how long before its end the closure bursts; until then there is no noise.
    """

    duration_s: float
    voicing: float
    formants: tuple[float, float, float]
    damping: float = 1.0
    noise: Noise | None = None
    release_s: float = 0.0


CONSONANTS = {
    "m": Consonant(0.110, 0.45, (260, 1000, 2200), damping=3),
    "n": Consonant(0.090, 0.45, (270, 1500, 2500), damping=3),
    "l": Consonant(0.080, 0.60, (360, 1100, 2700), damping=1.5),
    "w": Consonant(0.090, 0.50, (300, 610, 2200)),
    "b": Consonant(0.090, 0.12, (190, 800, 2200), damping=6, noise=Noise(500, 1500, 0.25), release_s=0.012),
    "d": Consonant(0.085, 0.12, (200, 1700, 2600), damping=6, noise=Noise(3000, 6000, 0.20), release_s=0.015),
    "p": Consonant(0.120, 0.00, (300, 800, 2200), noise=Noise(500, 1800, 0.35), release_s=0.040),
    "t": Consonant(0.120, 0.00, (300, 1700, 2600), noise=Noise(3500, 8000, 0.35), release_s=0.045),
    "f": Consonant(0.110, 0.00, (300, 900, 2200), noise=Noise(1500, 8000, 0.05)),
    "v": Consonant(0.080, 0.30, (280, 900, 2200), damping=2, noise=Noise(1500, 8000, 0.03)),
    "s": Consonant(0.130, 0.00, (300, 1600, 2600), noise=Noise(5500, 9000, 0.15)),
    "z": Consonant(0.100, 0.25, (280, 1600, 2600), damping=2, noise=Noise(5500, 9000, 0.08)),
    "sh": Consonant(0.130, 0.00, (300, 1800, 2500), noise=Noise(2200, 5000, 0.18)),
}
BILABIALS = "mbp"
"""Consonants that shut the lips."""
