"""Arguments of `ampelwerk audit`; the bodies are in `cli.audit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ampelwerk.cli.command_group import CommandGroup
from ampelwerk.cli.failure import process_edge
from ampelwerk.cli.options import (
    CERTIFICATES,
    SUPERVISOR,
    CertificatesOption,
    DebugOption,
    JsonOption,
    PersonOption,
    server_address,
)

app = typer.Typer(
    cls=CommandGroup,
    help="The record of everything that was asked for: shown, and checked for later changes.",
    no_args_is_help=True,
)
StoreOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--store", help="The store: a file, or postgresql://user@host/database."),
]
ServerOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--server",
        help="Host and port of a running server, instead of a store.",
        callback=server_address,
    ),
]


@app.command()
def verify(
    store: StoreOption = None,
    server: ServerOption = None,
    key: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option("--key", "-k", help="Public key of signed checkpoints; may be repeated."),
    ] = None,
    noted: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(metavar="SEQ:HASH", help="A record noted earlier; may be repeated."),
    ] = None,
    certificates: CertificatesOption = CERTIFICATES,
    person: PersonOption = SUPERVISOR,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Check that no record was altered, removed or moved; exit code 2 if one was."""
    with process_edge(debug=debug) as edge:
        from ampelwerk.cli import audit as command

        chain = command.chain(store, server, certificates, person)
        edge.code = command.verify(chain, keys=key or [], noted=noted or [], as_json=as_json)


@app.command()
def show(
    store: StoreOption = None,
    server: ServerOption = None,
    first: Annotated[int, typer.Option("--from", min=1, help="First record.")] = 1,
    last: Annotated[Optional[int], typer.Option("--to", help="Last record.")] = None,  # noqa: UP045
    actor: Annotated[str, typer.Option(help="Only what this person or device asked for.")] = "",
    target: Annotated[str, typer.Option(help="Only what is about this.")] = "",
    method: Annotated[str, typer.Option(help="Only methods that begin so, as override.")] = "",
    certificates: CertificatesOption = CERTIFICATES,
    person: PersonOption = SUPERVISOR,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Print records, one JSON line each with --json."""
    with process_edge(debug=debug):
        from ampelwerk.cli import audit as command

        command.show(
            command.chain(store, server, certificates, person),
            first=first,
            last=last,
            actor=actor,
            target=target,
            method=method,
            as_json=as_json,
        )
