"""Sets of signal groups that may be green together: maximal cliques of the compatibility graph."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations

import networkx as nx


def compatible_sets(
    conflict: Sequence[Sequence[bool]], groups: Collection[int]
) -> list[tuple[int, ...]]:
    """Every set of the groups without a conflicting pair that no further group can join.

    Parameters
    ----------
    conflict : (n, n) conflict matrix.
    groups : indices of the groups to be shared out.

    Returns
    -------
    The sets, largest first, equal ones by their groups; groups rising within a set.
    """
    graph = nx.Graph()
    graph.add_nodes_from(groups)
    graph.add_edges_from((a, b) for a, b in combinations(sorted(groups), 2) if not conflict[a][b])
    found = [tuple(sorted(clique)) for clique in nx.find_cliques(graph)]
    return sorted(found, key=lambda clique: (-len(clique), clique))
