"""Settings of the property tests: no verdict depends on how busy the machine is."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "hwsim", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("hwsim")
