import numpy as np
import pytest
import torch
from planted import of_taste
from scipy import sparse

from fashionlib.recommending import freedom, graphs, training
from fashionlib.recommending.freedom import FREEDOM
from fashionlib.recommending.vbpr import VBPR

BOUGHT = sparse.csr_matrix(np.array([[1, 1, 0], [1, 0, 0], [1, 0, 1]], dtype=float))


def test_features_find_the_planted_tastes(tastes):
    options = {"factors": 16, "epochs": 20, "batch_size": 128, "seed": 1}
    noise = np.random.default_rng(1).permutation(tastes[1])
    seeing = FREEDOM({"looks": tastes[1]}, **options)
    assert of_taste(seeing, tastes) > 0.8
    assert of_taste(FREEDOM({"looks": noise}, **options), tastes) < 0.6
    assert of_taste(VBPR(None, **options), tastes) < 0.5
    assert seeing.history[-1]["loss"] < 0.7 * seeing.history[0]["loss"]


def test_purchases_normalised_by_hand():
    graph = graphs.normalised(BOUGHT).toarray()
    expected = [
        [1 / np.sqrt(2 * 3), 1 / np.sqrt(2 * 1), 0],
        [1 / np.sqrt(1 * 3), 0, 0],
        [1 / np.sqrt(2 * 3), 0, 1 / np.sqrt(2 * 1)],
    ]
    nothing = np.zeros((3, 3))
    whole = np.block([[nothing, np.array(expected)], [np.transpose(expected), nothing]])
    np.testing.assert_allclose(graph, whole, rtol=1e-6)


def test_normalisation_counts_interactions_not_values_or_stored_zeros():
    often = BOUGHT.astype(float) * 3
    often.data[0] = 0
    rest = BOUGHT.copy()
    rest.data[0] = 0
    rest.eliminate_zeros()
    one, other = (graphs.normalised(x).toarray() for x in (often, rest))
    np.testing.assert_array_equal(one, other)


def test_light_gcn_equals_the_dense_formula_and_its_gradient():
    graph = graphs.normalised(BOUGHT)
    first = torch.randn(6, 4, requires_grad=True)
    whole = torch.from_numpy(graph.toarray())
    expected = (first + whole @ first + whole @ whole @ first) / 3
    found = graphs.light_gcn(graph, first.detach().numpy(), 2)
    torch.testing.assert_close(torch.from_numpy(found), expected.detach())
    mixing = graphs.light_gcn(graph, sparse.identity(6, np.float32, format="csr"), 2)
    rows = [5, 0, 3]
    mixed = graphs.weighted_sums(mixing[rows], first)
    torch.testing.assert_close(mixed, expected[rows])
    mine, dense = (
        torch.autograd.grad(out.pow(3).sum(), first) for out in (mixed, expected[rows])
    )
    torch.testing.assert_close(mine, dense)


def test_a_batch_has_the_vectors_that_recommend(tastes):
    model = FREEDOM({"looks": tastes[1]}, factors=4, epochs=1).fit(tastes[0])
    model.mixing = model._mixing(model.graph)  # thinned for training
    nodes = torch.tensor([7, 0, 7, 300, 699])
    users, items, _ = model._vectors()
    found = model._mixed(nodes).detach()
    torch.testing.assert_close(found[:3], users[[7, 0, 7]])
    torch.testing.assert_close(found[3:], items[[0, 399]])


def test_like_items_by_hand():
    looks = np.array(
        [[1, 0], [2, 0.2], [0, 3], [0.1, 1], [1, 1.1]]
    )  # lengths don't matter
    graph = graphs.like_items(looks, 2, "cpu").toarray()
    itself = [[item, item] for item in range(5)]
    others = [[0, 1], [1, 0], [2, 3], [3, 2], [4, 3]]  # 4 leans to the second axis
    assert np.argwhere(graph).tolist() == sorted(itself + others)
    assert graph[graph > 0] == pytest.approx(1 / np.sqrt(2 * 2))
    alone = graphs.like_items(looks, 1, "cpu").toarray()
    np.testing.assert_allclose(alone, np.eye(5))


@pytest.mark.parametrize(
    "names, shares",
    [
        (("visual", "textual"), (0.1, 0.9)),
        (("textual", "visual"), (0.9, 0.1)),
        (("a", "visual"), (0.5, 0.5)),
        (("visual",), (1.0,)),
    ],
)
def test_shares_of_the_spaces_are_the_configurations(tastes, names, shares):
    matrices = [tastes[1], np.random.default_rng(3).normal(size=(400, 5))]
    looks = dict(zip(names, matrices, strict=False))
    model = FREEDOM(looks, epochs=1).fit(tastes[0])
    parts = [graphs.like_items(space, 10, "cpu").toarray() for space in looks.values()]
    expected = sum(share * part for share, part in zip(shares, parts, strict=True))
    found = model.added.toarray()[300:, 300:]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_pruning_keeps_the_share_and_spares_the_rare():
    random = np.random.default_rng(0)
    rows, columns = (
        np.repeat(np.arange(200), 2),
        np.r_[np.zeros(200, int), np.arange(1, 201)][
            np.arange(400) % 2 * 200 + np.arange(400) // 2
        ],
    )
    star = sparse.csr_matrix(
        (np.ones(400), (rows, columns))
    )  # each user: item 0, which all have, and one of his own
    kept = [freedom.pruned(star, 0.8, random) for _ in range(50)]
    assert {graph.nnz for graph in kept} == {80}
    assert all(graph.multiply(star).nnz == 80 for graph in kept)  # nothing new
    popular = np.mean([graph[:, 0].nnz for graph in kept]) / 80
    assert popular == pytest.approx(
        0.0766, rel=0.15
    )  # odds 1 to sqrt(200); drawn without replacement


@pytest.mark.parametrize("learnt", [False, True])
def test_training_moves_the_features_only_where_they_are_learnt(tastes, learnt):
    model = FREEDOM({"looks": tastes[1]}, factors=4, epochs=1, learnt=learnt)
    model.fit(tastes[0])
    fixed = training.prepare_features(tastes[1], 400, None, 0)
    moved = np.abs(model.spaces[0].inputs.detach().numpy() - fixed).max()
    assert (moved > 1e-3) == learnt, moved
    expected = graphs.like_items(tastes[1], 10, "cpu").toarray()  # never learnt
    found = model.added.toarray()[300:, 300:]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_the_loss_is_that_of_the_scores(tastes):
    train, looks, _, _ = tastes
    model = FREEDOM(
        {"looks": looks},
        factors=4,
        epochs=2,
        feature_weight=0.5,
        penalty=0.3,
        pruned=0.0,
    ).fit(train)
    users, bought, other = np.array([0, 5, 5]), np.array([3, 9, 3]), np.array([1, 2, 7])
    model.mixing = model._mixing(model.graph)
    model.pairs.negatives = lambda users: torch.from_numpy(other)
    scores, seen = (
        model.scores(np.arange(300)),
        model.spaces[0](torch.arange(400)).detach().numpy(),
    )
    mine = model._vectors()[0].detach().numpy()
    margins = [
        table[users, bought] - table[users, other] for table in (scores, mine @ seen.T)
    ]
    first, second = (np.log1p(np.exp(-margin)).mean() for margin in margins)
    drawn = np.concatenate([users, 300 + bought, 300 + other])
    squares = model.own[drawn].pow(2).sum().item()
    loss = model._loss(torch.from_numpy(users), torch.from_numpy(bought)).item()
    assert loss == pytest.approx(first + 0.5 * second + 0.3 * squares / 3 / 2, rel=1e-4)


def test_same_seed_same_lists(tastes):
    lists = [
        FREEDOM({"looks": tastes[1]}, factors=4, epochs=2, seed=seed)
        .fit(tastes[0])
        .recommend([0, 9], 5)
        for seed in (1, 1, 2)
    ]
    assert lists[0].tolist() == lists[1].tolist() != lists[2].tolist()
