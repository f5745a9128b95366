"""`ampelwerk serve`: the live system's server, from a file or for a laptop."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from pathlib import Path

from ampelwerk.cli.certs import SERVER, controller, folder_authority
from ampelwerk.cli.event_loop import run
from ampelwerk.cli.fleet import SPARE_FILES, allow_open_files
from ampelwerk.cli.inputs import known_control
from ampelwerk.cli.server_config import STORE, ServerConfig, host_and_port, read_config
from ampelwerk.controllers.certificates import (
    PLAN_KEY,
    read_credentials,
    utc_now,
    write_credentials,
)
from ampelwerk.controllers.clock import SystemClock
from ampelwerk.controllers.identity import ROLES, Identity, Kind
from ampelwerk.controllers.json_logs import log_to_stderr
from ampelwerk.controllers.service.live_city import LiveCity
from ampelwerk.controllers.service.metrics import Metrics
from ampelwerk.controllers.service.override_dispatch import OverrideDispatch
from ampelwerk.controllers.service.running import run_until
from ampelwerk.controllers.service.server import Server
from ampelwerk.controllers.signing import PlanSigner
from ampelwerk.controllers.site_file import read_network
from ampelwerk.controllers.store.store import Store
from ampelwerk.engine.compilation import compile_ahead
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.network import Network
from ampelwerk.sim.controls import NATIVE, believed_by, connect, schedules_of
from ampelwerk.sim.group_service import group_services

DEV_CITY, DEV_NAME = "dev", "dev"
"""Trust domain of a laptop, and the name of everybody in its control room."""


def serve(
    *, config: Path | None, dev: bool, model: Path | None, folder: Path, listen: str | None
) -> None:
    """Serve until interrupted or terminated."""
    if dev == (config is not None):
        raise InvalidInputError(
            "a server needs a configuration, or --dev and a model",
            remedy="ampelwerk serve --config server.toml, or ampelwerk serve --dev --model FILE",
        )
    settings = read_config(config) if config else _development(model, folder, listen)
    log_to_stderr()
    run(_serve(settings))


def _development(model: Path | None, folder: Path, listen: str | None) -> ServerConfig:
    """Settings of a laptop: loopback only, everybody's certificates in one folder."""
    if model is None:
        raise InvalidInputError(
            "no model",
            where="--model",
            remedy="write one with `ampelwerk model SCENARIO --output FILE`",
        )
    address = listen or "127.0.0.1:50551"
    host, _ = host_and_port(address)
    if host not in ("127.0.0.1", "::1", "localhost"):
        raise InvalidInputError(
            "a development server listens on loopback only",
            where="--listen",
            found=address,
            remedy="use --config with certificates of your own authority",
        )
    authority = folder_authority(folder, DEV_CITY)
    everybody = [Identity(city=DEV_CITY, kind=Kind.SERVER, name=SERVER)]
    everybody += [Identity(city=DEV_CITY, kind=role, name=DEV_NAME) for role in ROLES]
    everybody += [
        controller(DEV_CITY, str(site.intersection_id))
        for site in read_network(model).intersections
    ]
    for identity in everybody:
        write_credentials(folder, identity, authority.issue(identity, utc_now()))
    return ServerConfig(
        city=DEV_CITY,
        model=model,
        certificates=folder,
        listen=address,
        store=str(folder / STORE),
        reflection=True,
    )


async def _serve(settings: ServerConfig) -> None:
    """Build the parts, run them, end on a signal."""
    clock = SystemClock()
    network = _network(settings)
    allow_open_files(len(network.intersections) + SPARE_FILES)
    begin_s = clock.unix_ms() / 1000
    signer = PlanSigner.from_file(settings.certificates / PLAN_KEY)
    city = LiveCity(
        network,
        clock,
        signer,
        epoch=clock.unix_ms() // 1000,
        begin_s=begin_s,
        step_s=settings.tick_s,
    )
    city.served = lambda number: group_services(network, number)
    city.algorithm = known_control(settings.control)
    city.control = connect(city.algorithm, city)
    city.beliefs = believed_by(city.control)
    city.schedules = schedules_of(city.control)
    refuse_taken(settings.listen)
    store = Store(settings.store)
    store.lead(SERVER, clock.unix_ms())
    compile_ahead([city.algorithm], lambda text: print(text, file=sys.stderr))
    # The first tick reads the compiled kernels; nobody shall wait for an answer meanwhile.
    city.tick(clock.unix_ms() / 1000)
    metrics = Metrics()
    server = Server(
        city,
        settings.listen,
        read_credentials(
            settings.certificates, Identity(city=settings.city, kind=Kind.SERVER, name=SERVER)
        ),
        city_name=settings.city,
        reflection=settings.reflection,
        called=metrics.called,
        overrides=OverrideDispatch(city, store, key=signer.key),
    )
    metrics.watch(city, server.telemetry)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    exporter = None
    if settings.metrics is not None:
        exporter = metrics.serve(*host_and_port(settings.metrics))
    try:
        await run_until(stop, server, metrics, ready=lambda: _say(server, settings))
    finally:
        if exporter is not None:
            exporter.shutdown()


def refuse_taken(address: str) -> None:
    """Make sure that nobody listens there, before the leadership is taken from whoever has it.

    Raises
    ------
    InvalidInputError : somebody does, or it is no address of this machine.
    """
    host, port = host_and_port(address)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for family, kind, protocol, _, place in found:
            with socket.socket(family, kind, protocol) as tried:
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                tried.bind(place)
    except OSError as error:
        raise InvalidInputError(
            "cannot listen there",
            where=address,
            found=error.strerror or str(error),
            remedy="end the server that runs there, or choose another address",
        ) from error


def _network(settings: ServerConfig) -> Network:
    """The intersections to serve.

    Signals at a short link are not joined here: every cabinet is a controller of its own.
    """
    if known_control(settings.control) == NATIVE:
        raise InvalidInputError("native is SUMO alone", where="control", found=settings.control)
    return read_network(settings.model)


def _say(server: Server, settings: ServerConfig) -> None:
    host, _ = host_and_port(settings.listen)
    print(f"listening on {host}:{server.port}", flush=True)
    if settings.reflection:
        names = [str(site.intersection_id) for site in server.city.network.intersections]
        print(
            f"try: ampelwerk roadside --server {host}:{server.port} --model {settings.model} "
            f"--certificates {settings.certificates} --intersection {names[0]}",
            file=sys.stderr,
            flush=True,
        )
