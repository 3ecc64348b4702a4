"""What lay between clients and servers, in words: loopback, hosts of namespaces, or a network."""

from bench.analysis import Summary

COMPETE = "and clients compete with servers for the same cores."
LOOPBACK = f"Everything ran on one machine over loopback: no network, {COMPETE}"
SINGLE = "Stores of one server were reached over loopback."
OWN = (
    "A server had by url is where its owner put it: the network to it is in its figures, whatever"
    " that is here."
)
ELSEWHERE = "Workers ran on other hosts: the network between is in what they measured."


def told(summary: Summary) -> str:
    """Say where servers and clients ran, as far as the record tells."""
    topologies = {one.label for one in summary.subjects if one.topology is not None}
    ran = {one.label: one.server for one in summary.servers}
    own = any(server is not None and server.way == "url" for server in ran.values())
    elsewhere = summary.workers is not None and summary.workers.elsewhere > 0
    apart = not topologies.isdisjoint(ran)
    if not (own or elsewhere or apart):
        return LOOPBACK
    parts = [OWN] * own + [ELSEWHERE] * elsewhere
    if apart:
        single = any(
            server is not None and server.way != "url" and label not in topologies
            for label, server in ran.items()
        )
        parts += [_hosts(summary), *([SINGLE] if single and not elsewhere else [])]
    if not (own or elsewhere):
        parts.append(f"All of it ran on one machine: there is no distance, {COMPETE}")
    return " ".join(parts)


def _hosts(summary: Summary) -> str:
    """Say what the hosts of topologies were; only a failover's record tells."""
    cuts = {one.why_no_cut for one in summary.failovers}
    if not cuts:
        made = "network namespaces on a bridge where the machine can make them, else loopback"
    elif cuts == {None}:
        made = "network namespaces, joined by a bridge"
    else:
        why = ", ".join(sorted(why for why in cuts if why is not None))
        made = f"addresses of the loopback network, since namespaces can't be made here ({why})"
    return f"The servers of a topology have hosts of their own: {made}."
