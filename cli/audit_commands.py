"""Arguments of `ampelwerk audit`; the bodies are in `cli.audit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ampelwerk.cli.failure import process_edge
from ampelwerk.cli.options import DebugOption, JsonOption, StoreOption

app = typer.Typer(
    help="The record of everything that was asked for: shown, and checked for later changes.",
    no_args_is_help=True,
)


@app.command()
def verify(
    store: StoreOption,
    key: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option("--key", "-k", help="Public key of signed checkpoints; may be repeated."),
    ] = None,
    noted: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(metavar="SEQ:HASH", help="A record noted earlier; may be repeated."),
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Check that no record was altered, removed or moved; exit code 2 if one was."""
    with process_edge(debug=debug) as edge:
        from ampelwerk.cli import audit as command

        edge.code = command.verify(store, keys=key or [], noted=noted or [], as_json=as_json)


@app.command()
def show(
    store: StoreOption,
    first: Annotated[int, typer.Option("--from", help="First record.")] = 1,
    last: Annotated[Optional[int], typer.Option("--to", help="Last record.")] = None,  # noqa: UP045
    actor: Annotated[str, typer.Option(help="Only what this person or device asked for.")] = "",
    target: Annotated[str, typer.Option(help="Only what is about this.")] = "",
    method: Annotated[str, typer.Option(help="Only methods that begin so, as override.")] = "",
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Print records, one JSON line each with --json."""
    with process_edge(debug=debug):
        from ampelwerk.cli import audit as command

        command.show(
            store,
            first=first,
            last=last,
            actor=actor,
            target=target,
            method=method,
            as_json=as_json,
        )
