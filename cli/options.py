"""Arguments and options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Optional

import typer

from ampelwerk.models.detection import LoopRole
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.faults import FaultKind

CERTIFICATES = Path("ampelwerk-dev")
"""Folder of `serve --dev`."""
VIEWER, OPERATOR, SUPERVISOR = "viewer:dev", "operator:dev", "supervisor:dev"
"""People of `serve --dev`."""
ScenarioArgument = Annotated[
    str,
    typer.Argument(
        metavar="SCENARIO",
        help="A name from `ampelwerk scenarios`, a .sumocfg, or a .net.xml(.gz) with --route-files.",
    ),
]
RoutesOption = Annotated[
    Optional[list[Path]],  # noqa: UP045
    typer.Option("--route-files", "-r", help="Demand, when SCENARIO is a net; may be repeated."),
]
AdditionalOption = Annotated[
    Optional[list[Path]],  # noqa: UP045
    typer.Option("--additional-files", "-a", help="Additional files, when SCENARIO is a net."),
]
BeginOption = Annotated[
    Optional[float], typer.Option("--begin", "-b", help="Begin in s; else the scenario's own.")  # noqa: UP045
]
EndOption = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(
        "--end", "-e", help="End in s; else the scenario's own, else last departure + 3600."
    ),
]
ProfileOption = Annotated[
    Literal["sumo", "rilsa"],
    typer.Option(
        help="Where amber and intergreens come from: the scenario's own program, or RiLSA geometry."
    ),
]
MinGreenOption = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option("--min-green", help="Minimum green of every signal group in s."),
]
AmberOption = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option("--amber", help="Amber of every vehicle group in s; profile sumo only."),
]
AllRedOption = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(
        "--all-red",
        help="All-red after amber in s, which makes vehicles' intergreens amber + all-red; profile "
        "sumo only.",
    ),
]
WithoutLoopsOption = Annotated[
    Optional[list[LoopRole]],  # noqa: UP045
    typer.Option(
        "--without-loops",
        help="The city has no loops of this role; may be repeated.",
    ),
]
SeparateOption = Annotated[
    bool,
    typer.Option(
        "--separate-signals",
        help="Run signals at a link of two or three cars' length each on its own.",
    ),
]
WorkersOption = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--workers", help="Runs at the same time; as many as cores by default."),
]
SchedulerOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--scheduler", help="Send the runs to a Dask scheduler, such as tcp://host:8786."),
]
ResultsOption = Annotated[
    Path, typer.Option("--output", "-o", help="Directory for the results; resumed if cut off.")
]
PlansOption = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--plans", help="Plan file that --control plan runs."),
]
BackendOption = Annotated[
    Literal["libsumo", "traci"], typer.Option(help="How SUMO is driven; the GUI needs traci.")
]
TeleportOption = Annotated[
    float,
    typer.Option(
        "--time-to-teleport",
        help="SUMO removes a vehicle that stood this long, in s; -1 never, so that gridlock shows.",
    ),
]
FaultOption = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--fault",
        metavar="KIND:SHARE[,from=S][,level=N]",
        help="A share of the loops fails, such as stuck-off:20%, from 300 s after begin on; may be "
        f"repeated. Kinds: {', '.join(FaultKind)}. Levels: docs/faults.md.",
    ),
]
OutputOption = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--output", "-o", help="Directory for the results; must be empty or new."),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show a traceback when it fails.")]
StoreOption = Annotated[
    str,
    typer.Option("--store", help="The store: a file, or postgresql://user@host/database."),
]


def server_address(text: str | None) -> str | None:
    """An address is host and port; said before anybody dials."""
    from ampelwerk.cli.server_config import host_and_port

    try:
        if text is not None:
            host_and_port(text)
    except InvalidInputError as error:
        raise typer.BadParameter(str(error)) from error
    return text


ServerOption = Annotated[
    str, typer.Option("--server", help="Host and port of the server.", callback=server_address)
]
CertificatesOption = Annotated[
    Path, typer.Option("--certificates", help="Folder of `ampelwerk certs` or `serve --dev`.")
]
PersonOption = Annotated[
    str, typer.Option("--as", metavar="ROLE:NAME", help="Whose certificate is used.")
]
