import numpy as np
import pytest
import torch
from planted import of_taste

from fashionlib.recommending import bm3
from fashionlib.recommending.bm3 import BM3
from fashionlib.recommending.graphs import GraphModel
from fashionlib.recommending.vbpr import VBPR


def unpredicted(model):
    """h of users and of items."""
    return GraphModel._vectors(model)[:2]


def test_purchases_of_planted_tastes_are_found_without_negatives(tastes):
    options = {"factors": 16, "epochs": 20, "batch_size": 128, "seed": 1}
    model = BM3({"looks": tastes[1]}, **options)
    assert of_taste(model, tastes) > 0.65
    assert of_taste(VBPR(None, **options), tastes) < 0.5
    losses = [epoch["loss"] for epoch in model.history]
    assert losses[-1] < losses[4] < losses[0]


def test_features_reach_the_purchases_through_the_predictor_alone(tastes):
    model = BM3({"looks": tastes[1]}, factors=5, epochs=2, drop=0.0).fit(tastes[0])
    users, bought = torch.tensor([0, 5, 5]), torch.tensor([3, 9, 3])
    slopes = []
    for model.feature_weight in (0.0, 1.0):
        slopes.append(
            torch.autograd.grad(
                model._loss(users, bought), (model.own, model.predictor)
            )
        )
    assert torch.equal(slopes[0][0], slopes[1][0])
    assert (slopes[0][1] - slopes[1][1]).abs().max() > 0.01


def test_no_gradient_flows_through_a_target():
    vectors = torch.ones(50, 40, requires_grad=True)
    made = bm3.target(vectors, 0.25, torch.Generator().manual_seed(0))
    assert not made.requires_grad
    assert made.unique().tolist() == pytest.approx([0, 1 / 0.75])
    assert (made == 0).float().mean().item() == pytest.approx(0.25, rel=0.1)


def test_the_loss_without_dropping_by_hand(tastes):
    model = BM3(
        {"looks": tastes[1]},
        factors=5,
        epochs=2,
        drop=0.0,
        penalty=0.2,
        feature_weight=0.7,
    ).fit(tastes[0])
    users, bought = torch.tensor([0, 5, 5]), torch.tensor([3, 9, 3])
    with torch.no_grad():
        user, item = (
            part[at]
            for part, at in zip(unpredicted(model), (users, bought), strict=True)
        )
        seen = model.spaces[0](bought)
        predicted = [
            vectors @ model.predictor + model.bias for vectors in (user, item, seen)
        ]

    def apart(a, b):
        a, b = a.numpy(), b.numpy()
        return -np.mean(
            [x @ y / np.sqrt((x @ x) * (y @ y)) for x, y in zip(a, b, strict=True)]
        )

    expected = apart(predicted[0], item) + apart(predicted[1], user)
    expected += 0.7 * (apart(predicted[2], item) + apart(predicted[2], seen))
    expected += 0.2 * float(user.pow(2).mean() + item.pow(2).mean())
    assert model._loss(users, bought).item() == pytest.approx(expected, rel=1e-5)


def test_a_vectors_gradient_is_that_of_the_predicted_side_alone(tastes):
    """No features, no penalty, one layer off: the user's own vector learns only as
    P(h_u), its target stands still.
    """
    model = BM3({}, factors=5, epochs=1, drop=0.0, penalty=0.0, layers=0).fit(tastes[0])
    users, bought = torch.tensor([7]), torch.tensor([11])
    slope = torch.autograd.grad(model._loss(users, bought), model.own)[0][:300]
    user = model.own.detach()[7].requires_grad_()
    item = (
        2 * model.own.detach()[300 + 11]
    )  # its own vector is added to what LightGCN gives
    one_side = -torch.cosine_similarity(
        user @ model.predictor.detach() + model.bias.detach(), item, dim=0
    )
    torch.testing.assert_close(slope[7], torch.autograd.grad(one_side, user)[0])
    assert slope.abs().sum() == slope[7].abs().sum()


def test_no_negative_is_drawn(tastes, monkeypatch):
    monkeypatch.setattr("fashionlib.recommending.training.Pairs.negatives", None)
    BM3({"looks": tastes[1]}, factors=4, epochs=1).fit(tastes[0])
    with pytest.raises(TypeError):
        VBPR(None, factors=4, epochs=1).fit(tastes[0])


def test_scores_are_of_predicted_vectors_and_repeat_with_the_seed(tastes):
    models = [
        BM3({"looks": tastes[1]}, factors=4, epochs=2, seed=seed).fit(tastes[0])
        for seed in (1, 1, 2)
    ]
    users, items = (
        part @ models[0].predictor.detach() + models[0].bias.detach()
        for part in unpredicted(models[0])
    )
    np.testing.assert_allclose(
        models[0].scores(np.arange(300)), users @ items.T, rtol=1e-4, atol=1e-7
    )
    lists = [model.recommend(np.arange(300), 5).tolist() for model in models]
    assert lists[0] == lists[1] != lists[2]
    bought = tastes[0].toarray()[np.arange(300)[:, None], np.array(lists[0])]
    assert not bought.any()


def test_one_finite_row_per_item(tastes):
    with pytest.raises(ValueError, match=r"\(399, 8\) for 400 items"):
        BM3({"looks": tastes[1][1:]}).fit(tastes[0])
