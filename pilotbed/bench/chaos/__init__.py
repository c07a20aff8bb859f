"""The platform under load while its parts are killed: is everything there that was acknowledged, and there once?"""
