"""The hypothesis profile of the property tests."""

from hypothesis import HealthCheck, Phase, settings

# Without a deadline, as a frame of pandera takes long on a busy machine; without shrinking, as
# that may take minutes and what is found is small to begin with.
settings.register_profile(
    "import-contacts",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
settings.load_profile("import-contacts")
