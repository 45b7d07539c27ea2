"""A local stand-in for the Order REST API that can fail on request.

It shares ``schemas`` with the importer and nothing else, so that a mistake in one is not
repeated in the other.

    request -> app -> faults (does this request fail?) -> api (carry out the call) -> store
                        `-> faults (how the answer is broken)

Source: docs/sandbox.md.
"""
