"""Plots: server-drawn inline SVG, no library. Each answers one question (design: look.md)."""
