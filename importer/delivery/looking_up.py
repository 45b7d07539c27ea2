"""From the answer to a look-up of an order's number to what is known of it."""

from dataclasses import dataclass
from random import Random

from importer.api import Answer, Listing
from importer.delivery import policy
from importer.delivery.observing import Observer
from importer.delivery.orders import Refusal, order_of
from importer.delivery.policy import Action, Step
from importer.delivery.tasks import Advance, Task
from importer.delivery.workers import Exchanged


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What a request for the order of a number leads to.

    Attributes:
        found: The order's ref or why there is none; None when it is not known yet.
        advance: The step of asking again, if it is; a stop, if any.
    """

    advance: Advance
    found: str | Refusal | None = None


def after_look_up(
    exchanged: Exchanged[Task], observer: Observer, attempts: int, random: Random
) -> LookedUp:
    """The way on after a request for the order of a number.

    Args:
        exchanged: What came of it.
        observer: Learns of the answer.
        attempts: How often it may fail.
        random: Source of jitter.
    """
    task = exchanged.task
    reference_id = task.contact.reference_id
    match exchanged.result:
        case Listing(failure=None) as listing:
            observer.saw_list(exchanged.started, exchanged.ended, listing.requests)
            found = order_of(reference_id, listing.items)
            if isinstance(found, str):
                observer.health.created()  # the order is there, so it is the right destination
            return LookedUp(Advance(), found)
        case Listing(failure=Answer() as answer):
            stop = observer.saw(task.contact.row, answer, exchanged.started, exchanged.ended)
            if answer.http_status == 404:  # noqa: PLR2004
                # The API answers with an empty list; this may be no API at all.
                stop = stop or observer.health.order_missing(reference_id)
                return LookedUp(Advance(stop=stop), order_of(reference_id, ()))
            task.failed_readings += 1
            step = policy.after_failed_reading(answer, task.failed_readings, attempts, random)
            if step.action is not Action.FINISH or step.stop is not None:
                again = Step(Action.LOOK_UP, delay=step.delay)
                return LookedUp(Advance(step=again, stop=step.stop or stop))
            message = f"The order could not be looked up. {answer.message}"
            refusal = Refusal(answer.error_code, message, answer.http_status, is_final=False)
            return LookedUp(Advance(stop=stop), refusal)
        case Exception() as error:
            return LookedUp(Advance(stop=policy.fault(error)))
        case other:
            raise TypeError(other)
