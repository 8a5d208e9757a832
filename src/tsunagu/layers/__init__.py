"""Building blocks: ordinary ``nn.Module`` classes that a node names by its key.

A key is the longest known name that starts it (``LinearLast`` is a ``Linear``), a class of ``torch.nn``, or an import
path ``my_package.my_module:MyNet``. Candidates for the two tasks of the H -> tau tau study are here, with the controls
``Zero`` and ``Noise``:

>>> import torch
>>> calibrate, classify = TauMLP(), find("MassMLP")()
>>> classify(calibrate(torch.rand(5, 2, 3, 16, 16), torch.rand(5, 2, 4))).shape
torch.Size([5])

Layers that draw random numbers own their generator; :func:`reseed` sets all of them from one seed, and :func:`adopt`
swaps torch's dropout layers for ours.
"""

from tsunagu.layers.blocks import FiLMedMLPBlock, FiLMedResBlock, MLPBlock, ResBlock
from tsunagu.layers.calibration import CalibrationHead, ScaleFactor, TauCNN, TauMLP
from tsunagu.layers.classification import LSTM, MLP, MassMLP, pair_mass
from tsunagu.layers.controls import Noise, Zero
from tsunagu.layers.convolutions import ConvResBlock, FiLMedConvResBlock
from tsunagu.layers.dense import Activation, activate, dense
from tsunagu.layers.film import Conditioned, FiLM, bent
from tsunagu.layers.frame import LeadingFrame, pair_logs, transverse_masses
from tsunagu.layers.framed import Residual, ResidualMLP, RotatedMLP
from tsunagu.layers.images import LogImage, log_energy
from tsunagu.layers.init import initialise
from tsunagu.layers.momentum import LogMomentum, correct, from_log_pt, log_pt, wrap
from tsunagu.layers.normalisation import reestimate
from tsunagu.layers.prototypes import Affinity, Cosine
from tsunagu.layers.registry import check_args, find, known, register
from tsunagu.layers.reversal import GradientReversal, reversals
from tsunagu.layers.scaling import Scaling
from tsunagu.layers.sets import Attention, DeepSets, TauAttention
from tsunagu.layers.sharing import Part, current_part, sharing
from tsunagu.layers.sites import FiLMSite, Modulation, film_sites
from tsunagu.layers.stochastic import Draws, Dropout, Stochastic, adopt, reseed, stochastic, undisturbed
from tsunagu.layers.tagging import JetTagger

__all__ = [
    "LSTM",
    "MLP",
    "Activation",
    "Affinity",
    "Attention",
    "CalibrationHead",
    "Conditioned",
    "ConvResBlock",
    "Cosine",
    "DeepSets",
    "Draws",
    "Dropout",
    "FiLM",
    "FiLMSite",
    "FiLMedConvResBlock",
    "FiLMedMLPBlock",
    "FiLMedResBlock",
    "GradientReversal",
    "JetTagger",
    "LeadingFrame",
    "LogImage",
    "LogMomentum",
    "MLPBlock",
    "MassMLP",
    "Modulation",
    "Noise",
    "Part",
    "ResBlock",
    "Residual",
    "ResidualMLP",
    "RotatedMLP",
    "ScaleFactor",
    "Scaling",
    "Stochastic",
    "TauAttention",
    "TauCNN",
    "TauMLP",
    "Zero",
    "activate",
    "adopt",
    "bent",
    "check_args",
    "correct",
    "current_part",
    "dense",
    "film_sites",
    "find",
    "from_log_pt",
    "initialise",
    "known",
    "log_energy",
    "log_pt",
    "pair_logs",
    "pair_mass",
    "reestimate",
    "register",
    "reseed",
    "reversals",
    "sharing",
    "stochastic",
    "transverse_masses",
    "undisturbed",
    "wrap",
]


def __dir__() -> list[str]:
    return __all__
