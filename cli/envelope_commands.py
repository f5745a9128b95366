"""Arguments of `ampelwerk envelope`; the bodies are in `cli.envelope`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Optional

import typer

from ampelwerk.cli.command_group import CommandGroup
from ampelwerk.cli.failure import process_edge
from ampelwerk.cli.options import (
    AdditionalOption,
    DebugOption,
    JsonOption,
    MinGreenOption,
    ProfileOption,
    StoreOption,
)

app = typer.Typer(
    cls=CommandGroup,
    help="Safety data of intersections: built or imported, signed offline, checked.",
    no_args_is_help=True,
)
FilesArgument = Annotated[list[Path], typer.Argument(metavar="FILE...", help="*.envelope files.")]
FailureDisplayOption = Annotated[
    Literal["flash", "dark", "all_red"],
    typer.Option(help="What the lamps show after a failure."),
]
FolderOption = Annotated[
    Path, typer.Option("--output", "-o", help="Folder for the files, each named by its SHA-256.")
]


@app.command()
def build(
    source: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A model.json of `ampelwerk model`, a .net.xml(.gz), a .sumocfg or a scenario name.",
        ),
    ],
    output: FolderOption,
    additional_files: AdditionalOption = None,
    profile: ProfileOption = "sumo",
    min_green: MinGreenOption = None,
    intersection: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--intersection", "-i", help="Only this one; may be repeated."),
    ] = None,
    failure_display: FailureDisplayOption = "flash",
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Make safety data out of a model; --profile and --min-green count for nets and scenarios."""
    with process_edge(debug=debug):
        from ampelwerk.cli import envelope as command

        command.build(
            source,
            additional=additional_files or [],
            profile=profile,
            min_green_s=min_green,
            intersections=intersection or [],
            failure_display=failure_display,
            output=output,
            as_json=as_json,
        )


@app.command("import")
def import_(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="Intergreen table in CSV.")],
    intersection: Annotated[
        str, typer.Option("--intersection", "-i", help="Name of the intersection.")
    ],
    output: FolderOption,
    stages: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Stages in the order of the fallback plan, in CSV."),
    ] = None,
    profile: Annotated[
        Literal["rilsa", "sumo"],
        typer.Option(help="rilsa demands the minima of RiLSA 2015; sumo takes times as they are."),
    ] = "rilsa",
    failure_display: FailureDisplayOption = "flash",
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Make safety data out of an authority's intergreen table; columns: docs/envelopes.md."""
    with process_edge(debug=debug):
        from ampelwerk.cli import envelope as command

        command.import_(
            table,
            intersection=intersection,
            stages=stages,
            profile=profile,
            failure_display=failure_display,
            output=output,
            as_json=as_json,
        )


@app.command()
def keygen(
    name: Annotated[
        Path, typer.Argument(metavar="NAME", help="Writes NAME.key.pem and NAME.pub.pem.")
    ],
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Make a pair of Ed25519 keys for signing."""
    with process_edge(debug=debug):
        from ampelwerk.cli import envelope as command

        command.keygen(name, as_json=as_json)


@app.command()
def sign(
    files: FilesArgument,
    key: Annotated[Path, typer.Option("--key", "-k", help="Private key in PEM.")],
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Sign safety data in place, all files or none."""
    with process_edge(debug=debug):
        from ampelwerk.cli import envelope as command

        command.sign(files, key=key, as_json=as_json)


@app.command()
def verify(
    files: FilesArgument,
    key: Annotated[
        list[Path], typer.Option("--key", "-k", help="Trusted public key in PEM; may be repeated.")
    ],
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Check that safety data are whole and signed with a trusted key."""
    with process_edge(debug=debug):
        from ampelwerk.cli import envelope as command

        command.verify(files, keys=key, as_json=as_json)


@app.command()
def load(
    files: FilesArgument,
    store: StoreOption,
    key: Annotated[
        list[Path], typer.Option("--key", "-k", help="Trusted public key in PEM; may be repeated.")
    ],
    actor: Annotated[str, typer.Option(help="Who loads them, for the audit.")],
    reason: Annotated[str, typer.Option(help="Why, for the audit.")],
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Hand signed safety data to the store of a server, all files or none."""
    with process_edge(debug=debug):
        from ampelwerk.cli import envelope as command

        command.load(files, place=store, keys=key, actor=actor, reason=reason, as_json=as_json)


@app.command()
def show(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An *.envelope file.")],
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Print groups, intergreens, stages and plans of safety data."""
    with process_edge(debug=debug):
        from ampelwerk.cli import envelope as command

        command.show(file, as_json=as_json)
