"""Serve every sandbox vendor for a demo: ``python -m tests.fakes --mailchimp-port 8301``; port 0 is any free one."""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import sys
from pathlib import Path

from tests.fakes.constant_contact import ConstantContactSandbox
from tests.fakes.donor_perfect import DonorPerfectSandbox
from tests.fakes.mailchimp import MailchimpSandbox
from tests.fakes.server import Server
from tests.fakes.video_app import VideoAppSandbox

STOPPING = {signal.SIGTERM, signal.SIGINT}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--state", type=Path, help="folder to keep state in; memory only without it")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="delay of every API call")
    for vendor, port in (("mailchimp", 8301), ("constant-contact", 8302)):
        parser.add_argument(f"--{vendor}-port", type=int, default=port)
        parser.add_argument(
            f"--{vendor}-redirect",
            action="append",
            default=[],
            metavar="URI",
            help="a redirect_uri registered for the OAuth app; may be given several times",
        )
    parser.add_argument("--donor-perfect-port", type=int, default=8303)
    parser.add_argument("--video-app-port", type=int, default=8304)
    parser.add_argument("--almoner", default="http://127.0.0.1:8000", help="where the video app finds our API")
    return parser.parse_args()


def main() -> int:
    wish = arguments()
    mailchimp = MailchimpSandbox(
        redirect_uris=wish.mailchimp_redirect, state_dir=wish.state, latency_ms=wish.latency_ms
    )
    constant_contact = ConstantContactSandbox(
        redirect_uris=wish.constant_contact_redirect, state_dir=wish.state, latency_ms=wish.latency_ms
    )
    donor_perfect = DonorPerfectSandbox(state_dir=wish.state, latency_ms=wish.latency_ms)
    # By account, as JSON: a command line can be read by everybody on this machine.
    given = {name: json.loads(os.environ.get(f"DEMO_VIDEO_{name}") or "{}") for name in ("KEYS", "SECRETS")}
    video_app = VideoAppSandbox(
        almoner_url=wish.almoner, keys=given["KEYS"], hook_secrets=given["SECRETS"], state_dir=wish.state,
        latency_ms=wish.latency_ms,
    )  # fmt: skip
    servers = [
        Server(mailchimp, wish.host, wish.mailchimp_port),
        Server(constant_contact, wish.host, wish.constant_contact_port),
        Server(donor_perfect, wish.host, wish.donor_perfect_port),
        Server(video_app, wish.host, wish.video_app_port),
    ]
    # Blocked before any thread starts, so that the wait below is what receives them.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    # Hundreds of thousands of long-lived members: look for garbage less often.
    gc.set_threshold(50_000, 20, 100)
    for server in servers:
        server.start()
    ready = " ".join(f"{each.sandbox.key} {each.sandbox.url}" for each in servers)
    print(f"Sandbox vendors ready: {ready}", flush=True)
    signal.sigwait(STOPPING)
    for server in servers:
        server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
