import numpy as np
import pytest
import torch
from scipy import sparse

from fashionlib.features import Features
from fashionlib.recommending.training import Pairs, Table
from fashionlib.recommending.vbpr import VBPR, DuchoVBPR, GatedVBPR, of_spaces


@pytest.fixture(scope="module")
def tastes():
    """300 shoppers of two tastes, 400 items of two styles; an item has about two
    buyers, so only features tell.
    """
    random = np.random.default_rng(0)
    taste, style = np.arange(300) % 2, np.arange(400) % 2
    train = np.zeros((300, 400))
    for user in range(300):
        train[
            user,
            random.choice(np.flatnonzero(style == taste[user]), size=3, replace=False),
        ] = 1
    features = random.normal(size=(400, 6))
    features[:, 4] += 4 * style
    return sparse.csr_matrix(train), features, taste, style


def of_taste(model, tastes):
    """Share of the first ten recommendations that are of the shopper's taste."""
    _, _, taste, style = tastes
    return (style[model.recommend(np.arange(300), 10)] == taste[:, None]).mean()


def test_features_find_the_planted_tastes(tastes):
    train, features, _, _ = tastes
    seeing = VBPR(
        features, factors=8, epochs=40, batch_size=128, lr=0.01, penalty=0.01
    ).fit(train)
    blind = VBPR(factors=8, epochs=40, batch_size=128, lr=0.01, penalty=0.01).fit(train)
    shuffled = VBPR(
        np.random.default_rng(1).permutation(features),
        factors=8,
        epochs=40,
        batch_size=128,
        lr=0.01,
        penalty=0.01,
    )
    assert of_taste(seeing, tastes) > 0.9
    assert of_taste(blind, tastes) < 0.75
    assert of_taste(shuffled.fit(train), tastes) < 0.75
    losses = [epoch["loss"] for epoch in seeing.history]
    assert losses[-1] < 0.7 * losses[0]
    assert losses[0] == pytest.approx(np.log(2), rel=0.1)


@pytest.mark.parametrize("seeing", [True, False])
def test_scores_equal_the_papers_formula(tastes, seeing):
    train, features, _, _ = tastes
    model = VBPR(features if seeing else None, factors=3, epochs=2, pca=None).fit(train)
    user, item = (table.weight.numpy() for table in (model.user, model.item))
    gamma_user, gamma_item, bias = user[:, :3], item[:, :3], item[:, 3]
    expected = np.empty(train.shape)
    if seeing:
        theta, inputs = (
            user[:, 3:],
            (features - features.mean(0)) / features.std(0) / np.sqrt(6),
        )
        embed, visual_bias = (
            model.visual.weight.numpy().T[:3],
            model.visual.weight.numpy()[:, 3],
        )
    for u in range(train.shape[0]):
        for i in range(train.shape[1]):
            expected[u, i] = bias[i] + gamma_user[u] @ gamma_item[i]
            if seeing:
                expected[u, i] += (
                    theta[u] @ (embed @ inputs[i]) + visual_bias @ inputs[i]
                )
    np.testing.assert_allclose(
        model.scores(np.arange(300)), expected, rtol=1e-3, atol=1e-6
    )


def test_the_loss_is_that_of_the_scores(tastes):
    train, features, _, _ = tastes
    model = VBPR(features, factors=3, epochs=3, penalty=0.5).fit(train)
    users, plus, minus = np.array([0, 5, 5]), np.array([3, 9, 3]), np.array([1, 2, 7])
    scores = model.scores(np.arange(300))
    margin = scores[users, plus] - scores[users, minus]
    rows = [
        model.user.weight[users],
        model.item.weight[plus],
        model.item.weight[minus],
        model.inputs[plus] @ model.visual.weight,
        model.inputs[minus] @ model.visual.weight,
    ]
    squares = sum(float((row**2).sum()) for row in rows)
    expected = np.log1p(np.exp(-margin)).mean() + 0.5 * squares / 3 / 2
    loss = model._triples(*map(torch.from_numpy, (users, plus, minus))).item()
    assert loss == pytest.approx(expected, rel=1e-4)


def test_only_the_rows_of_a_batch_move(tastes):
    model = VBPR(tastes[1], factors=3)
    model._start(tastes[0])
    before = [weight.clone() for weight in model._weights()]
    optimisers = model._optimisers()
    batch = [torch.tensor(ids) for ids in ([0, 5, 5], [3, 9, 3], [1, 2, 7])]
    model._triples(*batch).backward()
    for optimiser in optimisers:
        optimiser.step()
    moved = [
        (now != old).any(1).nonzero().ravel().tolist()
        for now, old in zip(model._weights(), before, strict=True)
    ]
    assert moved == [[0, 5], [1, 2, 3, 7, 9], list(range(6))]


def test_a_table_moves_as_torchs_adam_moves_the_same_rows():
    first = torch.randn(6, 3)
    table, plain = Table(first.clone(), 0.1), first[[1, 4]].clone().requires_grad_()
    adam = torch.optim.Adam([plain], lr=0.1)
    for step in range(1, 5):
        weights = torch.tensor([[1.0], [2.0], [3.0]]) * step
        (table(torch.tensor([4, 1, 4])).pow(2) * weights).sum().backward()
        (plain[[1, 0, 1]].pow(2) * weights).sum().backward()
        table.step()
        adam.step()
        adam.zero_grad()
    torch.testing.assert_close(table.weight[[1, 4]], plain.detach())
    assert torch.equal(table.weight[[0, 2, 3, 5]], first[[0, 2, 3, 5]])


def test_the_gradient_of_the_visual_map_by_differences(tastes):
    train, features, _, _ = tastes
    model = VBPR(features, factors=3, epochs=1).fit(train)
    batch = [torch.tensor(ids) for ids in ([0, 5, 5], [3, 9, 3], [1, 2, 7])]
    model._triples(*batch).backward()
    slope = model.visual.batch.grad
    for place in ((0, 0), (4, 2), (5, 3)):  # the last column is b', the visual bias
        change, found = torch.zeros_like(slope), []
        for size in (0.5, -0.5):
            change[place] = size
            model.visual.weight += change
            found.append(model._triples(*batch).item())
            model.visual.weight -= change
        assert slope[place].item() == pytest.approx(
            found[0] - found[1], rel=0.05, abs=1e-5
        )


def test_each_epoch_meets_every_pair_once_and_no_negative_was_bought():
    train = sparse.csr_matrix(
        np.array([[1, 1, 0, 1], [0, 0, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0]])
    )
    pairs = Pairs(train, 0, "cpu")
    for _ in range(3):
        met = [
            pair
            for users, bought in pairs.batches(3)
            for pair in zip(users.tolist(), bought.tolist(), strict=True)
        ]
        assert sorted(met) == [
            (0, 0),
            (0, 1),
            (0, 3),
            (1, 2),
        ]  # user 2 bought all: nothing to compare with
    users = torch.tensor([0, 1] * 500)
    other = pairs.negatives(users)
    assert set(other[users == 0].tolist()) == {2}
    shares = torch.bincount(other[users == 1], minlength=4) / 500
    assert shares.tolist() == pytest.approx([1 / 3, 1 / 3, 0, 1 / 3], rel=0.2)


def test_a_loss_that_overflows_says_so(tastes):
    with pytest.raises(ValueError, match=r"is (nan|inf) at lr 1e\+30: lower lr"):
        VBPR(tastes[1], factors=3, epochs=2, lr=1e30).fit(tastes[0])


def test_same_seed_same_lists_and_threads_left_alone(tastes):
    train, features, _, _ = tastes
    threads = torch.get_num_threads()
    models = [
        VBPR(features, factors=4, epochs=4, seed=seed).fit(train) for seed in (1, 1, 2)
    ]
    lists = [model.recommend(np.arange(300), 5) for model in models]
    assert lists[0].tolist() == lists[1].tolist() != lists[2].tolist()
    assert torch.get_num_threads() == threads


def test_train_items_are_never_offered(tastes):
    train = tastes[0]
    lists = VBPR(factors=4, epochs=2).fit(train).recommend(np.array([7, 3, 7]), 398)
    assert lists[0].tolist() == lists[2].tolist()
    for user, items in zip([7, 3], lists[:2], strict=True):
        bought = set(train[user].indices)
        assert set(items.tolist()) == set(range(400)) - bought | {
            -1
        }  # 397 items and one empty slot
        assert items[-1] == -1


def test_repeats_may_be_offered(tastes):
    model = VBPR(factors=4, epochs=2).fit(tastes[0])
    users = np.arange(300)
    expected = np.argsort(-model.scores(users), axis=1, kind="stable")[:, :7]
    np.testing.assert_array_equal(model.recommend(users, 7, repeats=True), expected)
    assert not tastes[0].toarray()[users[:, None], model.recommend(users, 7)].any()


def test_the_best_epochs_weights_come_back(tastes):
    few, features, _, _ = tastes
    assert {epoch["ndcg"] for epoch in VBPR(factors=2, epochs=2).fit(few).history} == {
        None
    }  # too few to judge by
    train = sparse.vstack([few, few[::-1], few[:, ::-1]], format="csr")
    options = {"factors": 8, "batch_size": 64, "lr": 0.05, "check": 1, "patience": 3}
    model = VBPR(features, epochs=60, **options).fit(train)
    measured = [epoch["ndcg"] for epoch in model.history]
    best = int(np.argmax(measured)) + 1
    assert len(measured) == best + 3 < 60  # stopped three checks after the best
    again = VBPR(features, epochs=best, **options).fit(train)
    np.testing.assert_array_equal(
        again.scores(np.arange(5)), model.scores(np.arange(5))
    )


def test_a_model_whose_epochs_ran_out_is_still_rising(tastes):
    few, features, _, _ = tastes
    train = sparse.vstack([few, few[::-1], few[:, ::-1]], format="csr")
    options = {"factors": 8, "batch_size": 64, "lr": 0.05, "check": 1, "patience": 3}
    stopped = VBPR(features, epochs=60, **options).fit(train)
    assert not stopped.still_rising
    cut = VBPR(features, epochs=stopped.best_epoch + 2, **options).fit(train)
    assert cut.best_epoch == stopped.best_epoch and cut.still_rising
    whole = VBPR(features, epochs=stopped.best_epoch + 3, **options).fit(train)
    assert not whole.still_rising
    assert VBPR(features, epochs=2).fit(few).still_rising  # nothing to judge by


def test_what_is_watched_is_noted_and_chooses_nothing(tastes):
    few, features, _, _ = tastes
    train = sparse.vstack([few, few[::-1], few[:, ::-1]], format="csr")
    watched = sparse.lil_matrix((900, 401))
    watched[7, 5] = watched[9, 400] = 1  # no list reaches the second
    options = {"factors": 8, "batch_size": 64, "epochs": 2, "check": 2}
    plain = VBPR(features, **options).fit(train)
    seen = VBPR(features, **options, watched=watched.tocsr()).fit(train)
    assert [row["ndcg"] for row in seen.history] == [r["ndcg"] for r in plain.history]
    np.testing.assert_array_equal(seen.scores(np.arange(9)), plain.scores(np.arange(9)))
    place = (plain.recommend(np.array([7]), 12)[0] == 5).nonzero()[0]
    assert "watched" not in seen.history[0]
    gain = (1 / np.log2(place + 2)).sum()
    assert seen.history[1]["watched"] == pytest.approx(gain / 2)


def test_a_gate_that_has_learnt_nothing_is_the_concatenation(tastes):
    train, features, _, _ = tastes
    spaces = {"looks": features[:, :4], "words": features[:, 4:]}
    gated = GatedVBPR(spaces, factors=3, seed=1)
    gated._start(train)
    assert gated.cut == 4 and (gated.shares == 0.5).all()
    side_by_side = torch.from_numpy(gated._prepared(400)) @ gated.visual.weight
    torch.testing.assert_close(
        gated._seen(gated.inputs, gated.visual.weight, gated.gate.weight), side_by_side
    )
    with pytest.raises(ValueError, match=r"1 spaces, \['looks'\]: .* give two"):
        GatedVBPR({"looks": features}, epochs=1).fit(train)


def test_a_gate_moves_and_weighs_as_the_formula_says(tastes):
    train, features, _, _ = tastes
    spaces = {"looks": features[:, :4], "words": features[:, 4:]}
    model = GatedVBPR(spaces, factors=3, epochs=5, lr=0.05).fit(train)
    user, item, visual, gate = (weight.numpy() for weight in model._weights())
    inputs = model.inputs.numpy()
    share = 1 / (1 + np.exp(-(inputs @ gate[:-1] + gate[-1])))  # (items, 1)
    assert share.std() > 0.01
    np.testing.assert_allclose(model.shares, share[:, 0], rtol=1e-5)
    seen = 2 * share * (inputs[:, :4] @ visual[:4])
    seen += 2 * (1 - share) * (inputs[:, 4:] @ visual[4:])
    expected = user[:, :3] @ item[:, :3].T + user[:, 3:] @ seen[:, :3].T
    expected += item[:, 3] + seen[:, 3]
    np.testing.assert_allclose(
        model.scores(np.arange(300)), expected, rtol=1e-3, atol=1e-6
    )


def formula(weights, features, user, item):
    """x(u, i) of Ducho-meets-Elliot's VBPR in numpy."""
    gamma_user, gamma_item, theta, visual, offset = weights
    seen = features[item] @ visual + offset
    seen = seen / np.sqrt(seen @ seen)
    return gamma_user[user] @ gamma_item[item] + theta[user] @ seen


def test_the_papers_vbpr_scores_by_hand(tastes):
    train, features, _, _ = tastes
    model = DuchoVBPR(features, factors=3, epochs=2).fit(train)
    weights = [weight.detach().numpy().astype(float) for weight in model.weights]
    expected = [
        [formula(weights, features, user, item) for item in range(400)]
        for user in (0, 7)
    ]
    np.testing.assert_allclose(model.scores(np.array([0, 7])), expected, rtol=1e-4)


def test_the_papers_vbpr_takes_the_step_of_the_formula(tastes):
    """One step of plain Adam: each number that has a slope moves by lr against it, and
    the slopes are those of the loss, by differences in 64 bits.
    """
    train, features, _, _ = tastes
    model = DuchoVBPR(features, factors=3, lr=0.01, penalty=0.3)
    model._start(train)
    batch = np.array([[0, 5, 5], [3, 9, 3], [1, 2, 7]])
    before = [weight.detach().numpy().astype(float) for weight in model.weights]

    def loss(weights):
        gamma_user, gamma_item, theta = weights[:3]
        total = 0
        for user, plus, minus in batch.T:
            gap = formula(weights, features, user, plus)
            gap -= formula(weights, features, user, minus)
            rows = gamma_user[user], gamma_item[plus], gamma_item[minus], theta[user]
            squares = sum(row @ row for row in rows) + 2  # projections have length 1
            total += np.log1p(np.exp(-gap)) + 0.3 * squares / 2
        return total / 3

    found = model._triples(*map(torch.from_numpy, batch))
    assert found.item() == pytest.approx(loss(before), rel=1e-5)
    [optimiser] = model._optimisers()
    found.backward()
    slopes = [weight.grad.clone() for weight in model.weights]
    optimiser.step()
    for part, place in ((0, (5, 1)), (1, (3, 2)), (2, (0, 0)), (3, (4, 1)), (4, 2)):
        ends = []
        for change in (1e-5, -1e-5):
            moved = [weight.copy() for weight in before]
            moved[part][place] += change
            ends.append(loss(moved))
        slope = (ends[0] - ends[1]) / 2e-5
        assert slopes[part][place].item() == pytest.approx(slope, rel=1e-3, abs=1e-6)
        step = model.weights[part].detach()[place].item() - before[part][place]
        assert step == pytest.approx(-0.01 * np.sign(slope), rel=1e-3)


def test_the_two_starts_of_the_papers_vbpr(tastes):
    train, features, _, _ = tastes
    shipped, meant = (
        DuchoVBPR(features, factors=64, shipped=shipped) for shipped in (True, False)
    )
    for model in (shipped, meant):
        model._start(train)
    taste, drawn = (model.weights[2].detach() for model in (shipped, meant))
    assert taste.std().item() == pytest.approx(1, rel=0.05)
    assert taste.norm(dim=1).mean().item() == pytest.approx(8, rel=0.05)
    bound = np.sqrt(6 / (300 + 64))
    assert bound * 0.99 < drawn.abs().max().item() <= bound
    for part in (0, 1):
        assert torch.equal(shipped.weights[part], meant.weights[part])


def test_features_of_another_catalogue_are_refused(tastes):
    train, features, _, _ = tastes
    with pytest.raises(ValueError, match=r"\(399, 6\) for 400 items"):
        VBPR(features[1:]).fit(train)
    broken = features.copy()
    broken[3, 3] = np.nan
    with pytest.raises(ValueError, match="finite"):
        VBPR(broken).fit(train)


def test_a_model_for_each_space_joined_by_id(tastes):
    train, features, _, _ = tastes
    ids = [f"{n:03}" for n in range(400)]
    turned = Features(ids[::-1], features[::-1])
    models = of_spaces({"looks": turned, "none": None}, np.array(ids), epochs=2, seed=1)
    assert np.array_equal(models["looks"].features, features)
    assert models["none"].fit(train).inputs is None and models["none"].epochs == 2


def test_the_epoch_whose_weights_stay():
    model = VBPR()
    model.history = [{"epoch": n, "loss": 0, "ndcg": None} for n in (1, 2, 3)]
    assert model.best_epoch == 3  # nothing was checked: the last
    for row, ndcg in zip(model.history, (0.2, 0.3, 0.1), strict=True):
        row["ndcg"] = ndcg
    assert model.best_epoch == 2


def test_what_was_learnt_is_taken_up_again_by_the_same_model_alone(tastes, tmp_path):
    train, features, _, _ = tastes
    options = {"factors": 4, "epochs": 4, "check": 2, "place": tmp_path / "learnt"}
    everybody = np.arange(train.shape[0])
    for form, given in ((VBPR, features), (GatedVBPR, {"a": features, "b": -features})):
        first = form(given, **options).fit(train)
        again = form(given, **options)
        again._learn = None  # it can't learn
        again.fit(train)
        assert again.history == first.history
        np.testing.assert_array_equal(again.scores(everybody), first.scores(everybody))
    fewer = train.tolil()
    fewer[0] = 0
    for other, given in (
        (VBPR(features, **options | {"seed": 1}), train),
        (VBPR(features[:, ::-1], **options), train),
        (VBPR(features, **options), fewer.tocsr()),
    ):
        other._learn = None
        with pytest.raises(TypeError):
            other.fit(given)
