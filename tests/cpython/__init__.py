"""Runs CPython's own regression tests on stock memory and on Tarn, and compares them test by test."""
