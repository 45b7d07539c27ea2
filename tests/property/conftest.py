"""How long the property tests may take, also on a machine that has other things to do."""

from hypothesis import HealthCheck, Phase, settings

# A frame of pandera takes some 30 ms and more under load, which is no failure. Shrinking a
# failure has a limit of 300 s of its own, and what is found is small to begin with.
settings.register_profile(
    "rooms",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
settings.load_profile("rooms")
