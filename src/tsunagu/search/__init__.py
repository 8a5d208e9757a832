"""tmp"""
from tsunagu.search.space import Space
from tsunagu.search.asng import Asng
from tsunagu.search.evolution import Evolution
from tsunagu.search.grid import Grid
from tsunagu.search.halving import Halving
from tsunagu.search.random import Random
from tsunagu.search.spos import Spos
