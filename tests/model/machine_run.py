"""How the state machines are run: by number, so that no two runs share plants."""

import os

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test


def run_machine(machine: type[RuleBasedStateMachine], run: int, profile: settings) -> None:
    """Run the machine; runs of their own because hypothesis repeats a plant it has met."""
    numbered = type(machine.__name__, (machine,), {"run": run})
    if profile.derandomize:
        seed(run)(numbered)
    run_state_machine_as_test(
        numbered,
        settings=settings(
            profile,
            deadline=None,
            # shrinking takes minutes; SHRINK=1 asks for it
            phases=tuple(Phase) if os.environ.get("SHRINK") else (Phase.generate,),
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            print_blob=True,
        ),
    )
