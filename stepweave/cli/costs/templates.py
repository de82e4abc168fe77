"""`cost_of_templates`: what an environment costs a month in which nothing runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stepweave.cli.costs.dags import Cost
from stepweave.cli.costs.telling import bill_lines, dollars, line_objects
from stepweave.cli.progress.words import count
from stepweave.pricing.idle import Idle, idle, templates_in
from stepweave.pricing.usage import Usage


def cost_of_templates(folder: str, region: str) -> Cost:
    """What the resources in the templates below ``folder`` cost a month while nothing runs."""
    templates = templates_in(Path(folder))
    found = idle(templates.values())
    usd, network = found.usage.usd(region), found.all.usd(region) - found.usage.usd(region)
    value: dict[str, Any] = {
        "region": region,
        "stacks": len(templates),
        "resources": found.resources,
        "usd_per_month": round(usd, 4),
        "usd_per_month_less_free": round(found.usage.less_free().usd(region), 4),
        "network_usd_per_month": round(network, 4),
        "lines": line_objects(found.all, region),
        "by_type": {kind: round(each.usd(region), 4) for kind, each in found.by_type.items()},
        "unknown": dict(found.unknown),
        "instance_vcpus": found.instances,
    }
    return Cost(value=value, lines=_lines(found, value, region))


def _lines(found: Idle, value: dict[str, Any], region: str) -> list[str]:
    less = dollars(value["usd_per_month_less_free"])
    lines = [
        f"{count(value['stacks'], 'stack')}, {count(value['resources'], 'resource')}: "
        f"{dollars(value['usd_per_month'])} a month while nothing runs; {less} less the free tiers",
        "",
        *bill_lines(found.usage, region),
    ]
    network = Usage({key: each for key, each in found.all.amounts.items() if key not in found.usage.amounts})
    if network.amounts:
        lines += ["", f"and the network: {dollars(value['network_usd_per_month'])} a month", ""]
        lines += bill_lines(network, region)
    if found.instances:
        lines += ["", f"and instances: compute environments keep {found.instances} vCPUs running"]
    if found.unknown:
        named = ", ".join(f"{kind} ({number})" for kind, number in found.unknown.items())
        lines += ["", f"not priced, since nothing is known of them here: {named}"]
    return lines
