"""What cornac does, beside ours: its VBPR's loss, its ranking quality, its NDCG."""

from unittest import mock

import numpy as np
import pytest
import torch
from scipy import sparse

from fashionlib.recommending import library, ranking
from fashionlib.recommending.library import CornacVBPR
from fashionlib.recommending.vbpr import VBPR

pytest.importorskip("cornac")
SHOPPERS, ITEMS = 400, 300


@pytest.fixture(scope="module")
def shop():
    """(train, test, looks): a purchase is likely where a shopper's taste, 6 numbers,
    fits an item's looks.
    """
    random = np.random.default_rng(0)
    looks, tastes = random.normal(size=(ITEMS, 6)), random.normal(size=(SHOPPERS, 6))
    likely = looks @ tastes.T * 1.5 + random.gumbel(
        size=(ITEMS, SHOPPERS)
    )  # the largest are a draw of the softmax
    bought = np.argsort(-likely.T, axis=1)[:, :10]
    held = random.permuted(np.tile(np.arange(10) < 3, (SHOPPERS, 1)), axis=1)
    rows = np.repeat(np.arange(SHOPPERS), 10)
    train, test = (
        sparse.csr_matrix(
            (np.ones(keep.sum()), (rows[keep.ravel()], bought[keep])),
            shape=(SHOPPERS, ITEMS),
        )
        for keep in (~held, held)
    )
    return train, test, looks / np.sqrt(6)


def ndcg(model, shop, k=12):
    train, test, _ = shop
    return ranking.ndcg(
        *ranking.judge(model.fit(train).recommend(np.arange(SHOPPERS), k), test, k)
    ).mean()


def test_cornac_mixes_the_visual_biases_of_a_batch(shop):
    shapes = []
    original = torch.nn.functional.logsigmoid
    with mock.patch.object(
        torch.nn.functional,
        "logsigmoid",
        lambda x: shapes.append(tuple(x.shape)) or original(x),
    ):
        for patched in (False, True):
            CornacVBPR(shop[2], patched=patched, n_epochs=1, batch_size=56).fit(shop[0])
    assert shop[0].nnz == 50 * 56
    assert shapes == [(56, 56)] * 50 + [(56,)] * 50


def test_the_patch_is_the_formula(shop):
    """One batch, one step: cornac's loss with the patch moves the weights as the
    squeezed sum does.
    """
    train, _, looks = shop
    model = (
        CornacVBPR(
            looks,
            patched=True,
            n_epochs=1,
            batch_size=train.nnz,
            lambda_w=0,
            lambda_b=0,
        )
        .fit(train)
        .model
    )
    data = library.dataset(train, looks)
    users, bought, other = next(data.uij_iter(train.nnz, shuffle=True))
    start = CornacVBPR(looks, n_epochs=0).fit(train).model
    names = (
        "beta_item",
        "gamma_user",
        "gamma_item",
        "theta_user",
        "emb_matrix",
        "beta_prime",
    )
    beta, gamma, items, theta, embed, bias = weights = [
        torch.tensor(getattr(start, name), dtype=torch.float32, requires_grad=True)
        for name in names
    ]
    seen = torch.tensor(looks[bought] - looks[other], dtype=torch.float32)
    margin = (
        beta[bought]
        - beta[other]
        + (gamma[users] * (items[bought] - items[other])).sum(1)
    )
    margin = margin + (theta[users] * (seen @ embed)).sum(1) + (seen @ bias).squeeze(1)
    optimiser = torch.optim.Adam(weights, lr=0.005)
    (-torch.nn.functional.logsigmoid(margin).sum()).backward()
    optimiser.step()
    for name, weight in zip(names, weights, strict=True):
        np.testing.assert_allclose(
            getattr(model, name),
            weight.detach().numpy(),
            rtol=1e-3,
            atol=1e-4,
            err_msg=name,
        )


def test_vbpr_ranks_as_well_as_cornacs(shop):
    looks = shop[2]
    ours = ndcg(VBPR(looks, factors=10, epochs=40, batch_size=256, lr=0.01), shop)
    assert (
        ours
        > 5
        * ranking.ndcg(
            *ranking.judge(np.tile(np.arange(12), (SHOPPERS, 1)), shop[1], 12)
        ).mean()
    )  # of any twelve items
    for patched in (True, False):
        theirs = ndcg(
            CornacVBPR(looks, patched=patched, n_epochs=8, learning_rate=0.02), shop
        )
        assert ours > 0.9 * theirs


def test_cornacs_ndcg_of_the_same_scores(shop):
    from cornac.eval_methods.base_method import ranking_eval
    from cornac.metrics import NDCG

    train, test, looks = shop
    model = CornacVBPR(looks, n_epochs=3).fit(train)
    lists = model.recommend(np.arange(SHOPPERS), 12)
    for k in (5, 12):
        _, (theirs,) = ranking_eval(
            model.model, [NDCG(k=k)], library.dataset(train), library.dataset(test)
        )
        np.testing.assert_allclose(
            [theirs[user] for user in range(SHOPPERS)],
            ranking.ndcg(*ranking.judge(lists, test, k)),
            rtol=1e-9,
        )
    scores = model.model.score(7)
    scores[train[7].indices] = -np.inf
    assert lists[7].tolist() == np.argsort(-scores)[:12].tolist()


def test_features_of_another_catalogue_are_refused(shop):
    with pytest.raises(ValueError, match=r"\(299, 6\) for 300 items"):
        CornacVBPR(shop[2][1:]).fit(shop[0])
