"""Loss and gradient of the tiny model, written by hand: what autograd would do, in fewer passes over memory.

The same as differentiating the cross entropy of `tiny_model.logits` (a test holds them together in float64). It is
faster than autograd for these reasons:

- what the first layer computes before attention depends on the token alone, so it is computed once for each token of the
  vocabulary and looked up;
- behind the last attention only the rows that count in the loss are computed; padding never is;
- heads stand before records in memory, so that attention needs no copies, and the look-up that picks the rows also puts
  the heads side by side;
- all parameters and all gradients lie in one buffer each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from triptych.studies.trainers.tiny_model import EPSILON, REACH, Batch, Parameters, mask, shift

if TYPE_CHECKING:
    import torch


class _Projected(NamedTuple):
    """Saved where queries, keys and values are made: input of the layer behind its norm (A, M, d), and 1 / its size."""

    normed: torch.Tensor
    inverse: torch.Tensor


class _Attended(NamedTuple):
    """Saved in attention: queries, keys, values (A * H * B, T, 3h), weights (.., T, T), which parts the rows are of."""

    qkv: torch.Tensor
    weights: torch.Tensor
    parts: torch.Tensor


class _Mixed(NamedTuple):
    """Saved behind attention, N rows: heads side by side, the norm, its inverse size, ReLU and its square."""

    heads: torch.Tensor
    normed: torch.Tensor
    inverse: torch.Tensor
    relu: torch.Tensor
    square: torch.Tensor


def loss_and_gradient(p: Parameters, gradient: Parameters, batch: Batch) -> torch.Tensor:
    """The weighted cross entropy of each arm, (A,); its gradient is written into `gradient`."""
    import torch  # noqa: PLC0415 - an extra

    step, layers = _Step(p, gradient, batch), p["qkv"].shape[1]
    saved, x = [], p["embed"]
    every = torch.arange(step.places, device=x.device).expand(step.arms, -1)
    for layer in range(layers):
        rows = batch.rows if layer == layers - 1 else every
        qkv, projected = step.project(layer, x)
        mixed, attended = step.attend(layer, qkv, rows)
        at = step.tokens.gather(1, rows) if layer == 0 else rows
        among = x.shape[1]
        x, behind = step.mlp(layer, _pick(x, at), mixed)
        saved.append((projected, attended, behind, at, among))
    losses, dx = step.output(x)
    for layer in reversed(range(layers)):
        projected, attended, behind, at, among = saved[layer]
        dx, dmixed = step.mlp_back(layer, dx, behind)
        dqkv = step.attend_back(layer, dmixed, attended)
        dx = step.project_back(layer, dqkv, projected) + _gather_up(dx, at, among)
    gradient["embed"].add_(dx)
    return losses


class _Step:
    """The parts of a pass. Each way forward gives its result and what its way back needs."""

    def __init__(self, p: Parameters, gradient: Parameters, batch: Batch) -> None:
        self.p, self.g, self.batch = p, gradient, batch
        self.arms, self.records, self.length = batch.tokens.shape
        self.heads, self.width, triple = p["qkv"].shape[2:]
        self.per_head = triple // 3
        self.places = self.records * self.length
        self.tokens = batch.tokens.reshape(self.arms, -1)

    def project(self, layer: int, x: torch.Tensor) -> tuple[torch.Tensor, _Projected]:
        """Queries, keys and values of all places, (A, H, B * T, 3h)."""
        normed, inverse = _norm(x)
        qkv = normed[:, None] @ self.p["qkv"][:, layer]
        if layer == 0:
            qkv = _pick(qkv.flatten(0, 1), self._tokens_of_heads()).view(self.arms, self.heads, self.places, -1)
        return qkv, _Projected(normed, inverse)

    def project_back(self, layer: int, dqkv: torch.Tensor, saved: _Projected) -> torch.Tensor:
        """Gradient of the layer's input, (A, M, d)."""
        if layer == 0:
            summed = _gather_up(dqkv.flatten(0, 1), self._tokens_of_heads(), saved.normed.shape[1])
            dqkv = summed.view(self.arms, self.heads, *summed.shape[1:])
        self.g["qkv"][:, layer] = saved.normed.transpose(1, 2)[:, None] @ dqkv
        return _norm_back((dqkv @ self.p["qkv"][:, layer].transpose(2, 3)).sum(1), saved.normed, saved.inverse)

    def _tokens_of_heads(self) -> torch.Tensor:
        return self.tokens[:, None].expand(-1, self.heads, -1).reshape(self.arms * self.heads, -1)

    def attend(self, layer: int, qkv: torch.Tensor, rows: torch.Tensor) -> tuple[torch.Tensor, _Attended]:
        """What attention gives at the rows (A, N), heads side by side: (A, N, d)."""
        import torch  # noqa: PLC0415

        length, h = self.length, self.per_head
        qkv = shift(qkv.view(-1, length, 3 * h))
        scores = torch.bmm(qkv[..., :h], qkv[..., h : 2 * h].transpose(1, 2))
        by_head = scores.view(-1, self.records, length, length)
        bias = mask(self.p["distance"][:, layer], length, length).view(-1, 1, length, length)
        torch.add(bias, by_head, alpha=h**-0.5, out=by_head)
        weights = scores.softmax(-1)
        mixed = torch.bmm(weights, qkv[..., 2 * h :])
        part = torch.arange(self.heads, device=rows.device) * self.places
        parts = (rows[..., None] + part).view(self.arms, -1)
        picked = _pick(mixed.view(self.arms, -1, h), parts)
        return picked.view(self.arms, -1, self.width), _Attended(qkv, weights, parts)

    def attend_back(self, layer: int, dpicked: torch.Tensor, saved: _Attended) -> torch.Tensor:
        """Gradient of queries, keys and values, (A, H, B * T, 3h)."""
        import torch  # noqa: PLC0415

        length, h = self.length, self.per_head
        qkv, weights, parts = saved
        dmixed = _gather_up(dpicked.reshape(self.arms, -1, h), parts, self.heads * self.places).view(-1, length, h)
        dweights = torch.bmm(dmixed, qkv[..., 2 * h :].transpose(1, 2))
        dscores = torch._softmax_backward_data(dweights, weights, -1, weights.dtype)  # noqa: SLF001 - autograd's own
        by_place = dscores.view(self.arms, self.heads, self.records, length, length).sum(2)
        self.g["distance"][:, layer] = _by_distance(by_place)
        dscores.mul_(h**-0.5)
        dq, dk = torch.bmm(dscores, qkv[..., h : 2 * h]), torch.bmm(dscores.transpose(1, 2), qkv[..., :h])
        dv = torch.bmm(weights.transpose(1, 2), dmixed)
        return shift(torch.cat([dq, dk, dv], -1), back=True).view(self.arms, self.heads, self.places, 3 * h)

    def mlp(self, layer: int, x: torch.Tensor, mixed: torch.Tensor) -> tuple[torch.Tensor, _Mixed]:
        """The residual stream at the rows, (A, N, d), behind attention's output and the MLP."""
        import torch  # noqa: PLC0415

        x = torch.baddbmm(x, mixed, self.p["out"][:, layer])
        normed, inverse = _norm(x)
        relu = torch.bmm(normed, self.p["up"][:, layer]).relu_()
        square = relu.square()
        return torch.baddbmm(x, square, self.p["down"][:, layer]), _Mixed(mixed, normed, inverse, relu, square)

    def mlp_back(self, layer: int, dx: torch.Tensor, saved: _Mixed) -> tuple[torch.Tensor, torch.Tensor]:
        """Gradients of the residual stream and of the heads side by side, (A, N, d) both."""
        import torch  # noqa: PLC0415

        self.g["down"][:, layer] = torch.bmm(saved.square.transpose(1, 2), dx)
        dup = torch.bmm(dx, 2 * self.p["down"][:, layer].transpose(1, 2)).mul_(saved.relu)
        self.g["up"][:, layer] = torch.bmm(saved.normed.transpose(1, 2), dup)
        dnormed = torch.bmm(dup, self.p["up"][:, layer].transpose(1, 2))
        dx = dx + _norm_back(dnormed, saved.normed, saved.inverse)
        self.g["out"][:, layer] = torch.bmm(saved.heads.transpose(1, 2), dx)
        return dx, torch.bmm(dx, self.p["out"][:, layer].transpose(1, 2))

    def output(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Losses (A,) and the gradient of the last residual stream (A, N, d); begins the gradient of the embedding."""
        import torch  # noqa: PLC0415

        targets, weights = self.batch.targets[..., None], self.batch.weights[..., None]
        normed, inverse = _norm(x)
        told = torch.bmm(normed, self.p["embed"].transpose(1, 2)).log_softmax(-1)
        losses = -(told.gather(-1, targets) * weights).sum((1, 2))
        dlogits = told.exp_().scatter_add_(-1, targets, torch.full_like(weights, -1)).mul_(weights)
        torch.bmm(dlogits.transpose(1, 2), normed, out=self.g["embed"])
        return losses, _norm_back(torch.bmm(dlogits, self.p["embed"]), normed, inverse)


def _norm(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """RMSNorm and one over the size that it divides by."""
    inverse = x.square().mean(-1, keepdim=True).add_(EPSILON).rsqrt_()
    return x * inverse, inverse


def _norm_back(dnormed: torch.Tensor, normed: torch.Tensor, inverse: torch.Tensor) -> torch.Tensor:
    return (dnormed - normed * (dnormed * normed).mean(-1, keepdim=True)).mul_(inverse)


def _pick(x: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Rows (G, N) of each group: (G, M, c) to (G, N, c)."""
    return x.reshape(-1, x.shape[-1]).index_select(0, _flat(rows, x.shape[1])).view(*rows.shape, -1)


def _gather_up(x: torch.Tensor, rows: torch.Tensor, among: int) -> torch.Tensor:
    """What `_pick` transposes to: sums of the rows of each group by where they came from, (G, N, c) to (G, M, c)."""
    import torch  # noqa: PLC0415

    source, at, groups = x.reshape(-1, x.shape[-1]), _flat(rows, among), x.shape[0]
    if x.is_cuda:  # index_add_ there sums in any order
        out: torch.Tensor = torch.ops.aten.embedding_dense_backward(source, at, groups * among, -1, False)  # noqa: FBT003
    else:
        out = torch.zeros(groups * among, x.shape[-1], dtype=x.dtype).index_add_(0, at, source)
    return out.view(groups, among, -1)


def _flat(rows: torch.Tensor, among: int) -> torch.Tensor:
    import torch  # noqa: PLC0415

    return (rows + among * torch.arange(len(rows), device=rows.device)[:, None]).view(-1)


def _by_distance(scores: torch.Tensor) -> torch.Tensor:
    """Sums (.., T, T) along diagonals into (.., R): keys d places before their query, the last for all from there on."""
    import torch  # noqa: PLC0415

    length = scores.shape[-1]
    # Rows of 2 T - 1 instead of 2 T move each row one place further than the one before: diagonals become columns.
    skewed = torch.nn.functional.pad(scores.flip(-1), (0, length)).flatten(-2)[..., : length * (2 * length - 1)]
    sums = skewed.view(*scores.shape[:-1], 2 * length - 1).sum(-2)[..., length - 1 :]
    near = torch.nn.functional.pad(sums, (0, max(0, REACH - length)))[..., :REACH].clone()
    near[..., -1] += sums[..., REACH:].sum(-1)
    return near
