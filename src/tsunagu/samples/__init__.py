"""Real events without a download: Pythia 8, a fast detector, tau jets with images and the truth about them.

An optional extra (``pip install 'tsunagu[samples]'``), since Pythia is licensed under the GPL; a ready-made sample of
a few thousand events is installed with the package. Nothing else in tsunagu imports this package.

>>> HTauTau(events=1000).pileup
30.0
"""

from tsunagu.samples.generate import generate, is_generated, is_outdated, ready_sample
from tsunagu.samples.settings import Analysis, HTauTau, Settings, TauJet, settings_hash

__all__ = [
    "Analysis",
    "HTauTau",
    "Settings",
    "TauJet",
    "generate",
    "is_generated",
    "is_outdated",
    "ready_sample",
    "settings_hash",
]


def __dir__() -> list[str]:
    return __all__
