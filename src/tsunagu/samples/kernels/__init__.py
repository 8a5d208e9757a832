"""The loops that numba compiles: the detector, jet clustering, images and the search for the taus.

They take and give plain arrays. Importing this package needs numba; nothing outside ``tsunagu.samples`` does.
"""
