"""Commands of the live system: server, controllers, certificates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ampelwerk.cli.failure import process_edge
from ampelwerk.cli.options import (
    CERTIFICATES,
    CertificatesOption,
    DebugOption,
    JsonOption,
    ServerOption,
)

live = typer.Typer()
"""Part of `cli.main`'s commands."""


@live.command()
def certs(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where they are written.")],
    city: Annotated[str, typer.Option(help="Trust domain, such as the name of the city.")] = "dev",
    model_file: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--model", "-m", help="One for each intersection of this model.json."),
    ] = None,
    intersection: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--intersection", "-i", help="One for this intersection; may be repeated."),
    ] = None,
    person: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            metavar="ROLE:NAME",
            help="One for somebody who is viewer, operator, supervisor or engineer; may be repeated.",
        ),
    ] = None,
    debug: DebugOption = False,
) -> None:
    """Make a development certificate authority, and certificates."""
    with process_edge(debug=debug):
        from ampelwerk.cli import certs as command

        command.certs(
            folder,
            city=city,
            model=model_file,
            intersections=intersection or [],
            people=person or [],
        )


@live.command()
def serve(
    config: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--config", "-c", help="A server.toml."),
    ] = None,
    dev: Annotated[
        bool, typer.Option("--dev", help="For a laptop: loopback only, certificates made here.")
    ] = False,
    model_file: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--model", "-m", help="With --dev: model.json of the intersections."),
    ] = None,
    folder: Annotated[
        Path, typer.Option(help="With --dev: where certificates are kept.")
    ] = CERTIFICATES,
    listen: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="With --dev: address on loopback; port 0 takes any."),
    ] = None,
    debug: DebugOption = False,
) -> None:
    """Run the server that controllers and control rooms dial into."""
    with process_edge(debug=debug):
        from ampelwerk.cli import serve as command

        command.serve(config=config, dev=dev, model=model_file, folder=folder, listen=listen)


@live.command()
def roadside(
    server: ServerOption,
    intersection: Annotated[str, typer.Option("--intersection", "-i", help="Which one to run.")],
    model_file: Annotated[Path, typer.Option("--model", "-m", help="model.json with its data.")],
    certificates: CertificatesOption = CERTIFICATES,
    demand: Annotated[
        float, typer.Option(min=0, help="Vehicles that come to each loop at random, per hour.")
    ] = 0.0,
    bus: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            metavar="GROUP@SECONDS",
            help="A bus announces itself for this signal group so often, and asks for priority.",
        ),
    ] = None,
    seconds: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(min=0, help="Stop after this time, in s; else when interrupted."),
    ] = None,
    plans: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="File of the published plans it holds; else beside its certificate."),
    ] = None,
    debug: DebugOption = False,
) -> None:
    """Run one roadside controller with its lamps in the terminal."""
    with process_edge(debug=debug):
        from ampelwerk.cli import roadside as command

        command.roadside(
            server=server,
            intersection=intersection,
            model=model_file,
            certificates=certificates,
            demand_veh_h=demand,
            bus=bus,
            seconds=seconds,
            plans=plans,
        )


@live.command()
def fleet(
    count: Annotated[int, typer.Argument(metavar="N", help="How many controllers.")],
    server: ServerOption,
    model_file: Annotated[Path, typer.Option("--model", "-m", help="model.json with their data.")],
    certificates: CertificatesOption = CERTIFICATES,
    uploads_per_s: Annotated[
        float, typer.Option("--uploads", min=0, help="Batches of detector data per second, of all.")
    ] = 0.0,
    seconds: Annotated[
        float, typer.Option(min=1, help="How long to load the server, in s.")
    ] = 30.0,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Let many controllers dial in and measure how the server bears them."""
    with process_edge(debug=debug) as edge:
        from ampelwerk.cli import fleet as command

        edge.code = command.fleet(
            count,
            server=server,
            model=model_file,
            certificates=certificates,
            uploads_per_s=uploads_per_s,
            seconds=seconds,
            as_json=as_json,
        )
