"""A local rehearsal stage of the Order REST API, able to misbehave.

It shares ``schemas`` with the importer and nothing else, so that a mistake in one is not made
alike in the other.

    request -> app -> faults (does it misbehave?) -> api (what the call does) -> store
                        |
                        `-> stunts (how the answer goes wrong)
"""
