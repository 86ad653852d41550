"""Material by hand: `%ISSUE`, `%RETURN`, `%EXTRA`, `%MOVE`, `%HOLD`, `%RELEASE`, then what it is.

Finds the lot behind the code and lets the use case of the verb rule. The command is over with the
answer, unless that asks for something.
"""

from mes_terminal.domain.intent import HandleMaterial
from mes_terminal.store.database import Connection
from mes_terminal.usecases.context import Answer, Context
from mes_terminal.usecases.handled import Handled, done, handled_by
from mes_terminal.usecases.hold_lot import set_lot_status
from mes_terminal.usecases.issue_material import issue
from mes_terminal.usecases.move_material import move_stock
from mes_terminal.usecases.return_material import give_back


def handle_material(conn: Connection, intent: HandleMaterial, context: Context) -> Answer:
    """Do with the material what the command says."""
    handled = handled_by(conn, intent.verb, intent.what, context)
    if isinstance(handled, Answer):
        return done(handled)
    return done(_rule(conn, handled, intent.argument, context))


def _rule(conn: Connection, handled: Handled, argument: str, context: Context) -> Answer:
    match handled.verb:
        case "ISSUE":
            return issue(conn, handled, context, reason=None)
        case "EXTRA":
            return issue(conn, handled, context, reason=argument)
        case "RETURN":
            return give_back(conn, handled, context)
        case "MOVE":
            return move_stock(conn, handled, argument, context)
        case _:
            return set_lot_status(conn, handled, context)
