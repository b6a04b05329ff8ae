from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from avsieve.encoders.ecapa import ecapa_small
from avsieve.encoders.inception_resnet import inception_resnet_v1_112
from avsieve.encoders.iresnet import iresnet18
from avsieve.encoders.layers import Layer
from avsieve.encoders.mobileface import mobileface_small
from avsieve.encoders.onnx_audio import OnnxSpeaker
from avsieve.encoders.rawnet2 import WINDOW, rawnet2
from avsieve.encoders.registry import AUDIO, VISUAL, build, offered_states, trainable
from avsieve.encoders.states import InnerStates, State
from avsieve.errors import ConfigError, ModelError


def small_wavlm() -> nn.Module:
    pytest.importorskip("transformers")
    from tests.encoders.test_wavlm import small

    return small()


SPEECH = {"ecapa": ecapa_small, "wavlm": small_wavlm, "rawnet2": rawnet2}
FACES = {"iresnet": iresnet18, "inception": inception_resnet_v1_112, "mobileface": mobileface_small}
_made: dict[str, nn.Module] = {}


def network(name: str) -> InnerStates:
    """Return a network with statistics and scales such as training gives, made once."""
    if name not in _made:
        torch.manual_seed(0)
        made = (SPEECH | FACES)[name]()
        for module in made.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                nn.init.normal_(module.running_mean, 0, 0.1)
                nn.init.uniform_(module.running_var, 0.5, 2)
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias, 0, 0.1)
        _made[name] = made.eval()
    made = _made[name]
    assert isinstance(made, InnerStates)
    return made


def batch(name: str) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    if name in SPEECH:
        return torch.randn(2, 24_000, generator=generator) * 0.1
    return torch.rand(2, 3, 112, 112, generator=generator) * 2 - 1


def outputs(made: nn.Module, run: Callable[[], object]) -> dict[str, Tensor]:
    """Return what each module returned during ``run``."""
    seen: dict[str, Tensor] = {}
    hooks = []
    for name, module in made.named_modules():

        def note(_: nn.Module, __: object, out: object, name: str = name) -> None:
            if isinstance(out, Tensor):
                seen[name] = out.clone()

        hooks.append(module.register_forward_hook(note))
    run()
    for hook in hooks:
        hook.remove()
    return seen


@pytest.mark.parametrize(("table", "arch"), [(t, n) for t in (AUDIO, VISUAL) for n in trainable(t)])
def test_a_network_offers_what_its_entry_in_the_table_says(table, arch: str) -> None:
    if AUDIO is table and AUDIO[arch].extra:
        pytest.importorskip("transformers")
    with torch.device("meta"):
        made = build(table, arch)
    assert made.offers == table[arch].states != ()
    assert offered_states(table, arch) == table[arch].states


@pytest.mark.parametrize("name", [*SPEECH, *FACES])
def test_one_pass_gives_the_embedding_of_forward_and_every_state(name: str) -> None:
    made, inputs = network(name), batch(name)
    given = (inputs, torch.tensor([24_000, 16_001])) if name in SPEECH else (inputs,)
    with torch.no_grad():
        plain = made(*given)
        embedding, states = made.forward_states(*given)
    assert torch.equal(embedding, plain)
    assert [s.layer for s in states] == list(made.offers)
    for state in states:
        if name in FACES:
            assert state.values.shape == (2, state.layer.channels, *state.layer.size)
            assert state.mask is None
        else:
            assert state.values.shape == (2, state.mask.shape[1], state.layer.channels)
            assert state.mask.dtype == torch.bool
        assert state.values.std() > 0


@pytest.mark.parametrize("name", ["ecapa", "mobileface"])
def test_some_states_come_in_the_order_asked_for(name: str) -> None:
    made, inputs = network(name), batch(name)
    names = [made.offers[2].name, made.offers[0].name]
    with torch.no_grad():
        every, some = made.states(inputs), made.states(inputs, only=names)
        assert made.states(inputs, only=[]) == []
    assert [s.name for s in some] == names
    assert torch.equal(some[0].values, every[2].values)
    assert torch.equal(some[1].values, every[0].values)


@pytest.mark.parametrize("name", ["ecapa", *FACES])
def test_a_state_is_the_output_of_the_layer_that_it_claims(name: str) -> None:
    made, inputs = network(name), batch(name)
    with torch.no_grad():
        seen = outputs(made, lambda: made(inputs))
        states = {s.name: s.values for s in made.states(inputs)}
    # Where a rectifier follows or the name is our own: the module whose output it is.
    elsewhere = {
        "ecapa": {"stem": "bn1", "layer4": None},
        "iresnet": {"stem": "prelu", **{f"layer{n}": f"layer{n}.1" for n in (1, 2, 3, 4)}},
        "mobileface": {"stem": "trunk.1", "stage1": "trunk.4", "stage2": "trunk.7", "stage3": "trunk.10"}
        | {"last": "trunk.12"},
    }.get(name, {})
    for state, values in states.items():
        module = elsewhere.get(state, state)
        expected = seen["layer4"].relu() if module is None else seen[module]
        assert torch.equal(values.transpose(1, 2) if name == "ecapa" else values, expected), state


def test_wavlm_counts_what_enters_the_transformer_as_layer_0() -> None:
    made, inputs = network("wavlm"), batch("wavlm")
    seen = []
    blocks = made.model.encoder.layers
    hooks = [blocks[0].register_forward_pre_hook(lambda _, given: seen.append(given[0].clone()))]
    hooks += [block.register_forward_hook(lambda _, __, out: seen.append(out[0].clone())) for block in blocks]
    with torch.no_grad():
        states = made.states(inputs)
    for hook in hooks:
        hook.remove()
    assert [s.name for s in states] == ["layer0", "layer1", "layer2"]
    for state, expected in zip(states, seen, strict=True):
        assert torch.equal(state.values, expected)
    assert [layer.name for layer in AUDIO["wavlm_mhfa"].states] == [f"layer{n}" for n in range(13)]


@pytest.mark.parametrize("name", SPEECH)
def test_a_click_shows_in_the_frame_that_lies_there(name: str) -> None:
    made, places = network(name), [3_000, 11_111, 20_500]
    waves = (batch(name)[:1] * 0.1).repeat(1 + len(places), 1)
    for row, place in enumerate(places, start=1):
        waves[row, place] += 0.5
    with torch.no_grad():
        states = made.states(waves)
    for state in states:
        for row, place in enumerate(places, start=1):
            change = (state.values[row] - state.values[0]).norm(dim=1)
            # The recurrent layer remembers the click, so that what counts is where it begins.
            frame = int((change > 0.2 * change.max()).nonzero()[0]) if state.name == "gru" else int(change.argmax())
            middle = state.layer.start + frame * state.step
            # Half a window of the front end to either side, and the frames beside it that a block's convolutions reach.
            assert abs(middle - place) < max(400, 1.5 * state.step), (state.name, place)


@pytest.mark.parametrize("name", FACES)
def test_a_pixel_shows_at_the_places_around_it(name: str) -> None:
    made, whole = network(name), 0
    # The middles of a deep map's places are middles of places in every map before it.
    deepest = made.offers[-1]
    at = [int(deepest.start + n * deepest.step) for n in ((0, 1) if deepest.start else (3, 4))]
    faces = batch(name)[:1]
    faces[0, :, at[0], at[1]] = torch.nan  # goes wherever the pixel is read
    with torch.no_grad():
        states = made.states(faces)
    for state in states:
        touched = state.values[0].isnan().any(dim=0)
        for axis, pixel in ((1, at[0]), (0, at[1])):
            place = (pixel - state.layer.start) / state.step
            found = touched.any(dim=axis).nonzero()
            first, last = int(found[0]), int(found[-1])
            assert first <= place <= last, state.layer
            if first > 0 and last < len(touched) - 1:
                assert (first + last) / 2 == place, state.layer
                whole += 1
    assert whole >= 6


@pytest.mark.parametrize("name", SPEECH)
def test_a_padded_batch_has_the_states_of_its_rows_alone(name: str) -> None:
    made = network(name)
    lengths = torch.tensor([24_000, 9_001])
    waves = torch.randn(2, 24_000, generator=torch.Generator().manual_seed(2)) * 0.1  # padding that is no silence
    with torch.no_grad():
        embedding, states = made.forward_states(waves, lengths)
        for row, length in enumerate(lengths.tolist()):
            alone_embedding, alone = made.forward_states(waves[row : row + 1, :length])
            assert torch.allclose(embedding[row], alone_embedding[0], rtol=1e-4, atol=1e-5)
            for state, single in zip(states, alone, strict=True):
                frames = int(state.mask[row].sum())
                assert frames == int(single.mask.sum()) > 0
                assert state.mask[row, :frames].all()
                assert (state.values[row, frames:] == 0).all()
                found, expected = state.values[row, :frames], single.values[0, :frames]
                assert (found - expected).abs().max() <= 1e-5 * max(1.0, float(expected.abs().max())), state.name
    assert not states[0].mask.all()


@pytest.mark.parametrize("name", [*SPEECH, *FACES])
def test_the_gradient_of_the_states_reaches_the_input(name: str) -> None:
    made, inputs = network(name), batch(name)[:1].requires_grad_()
    states = made.states(inputs)
    assert all(s.values.requires_grad for s in states)
    (gradient,) = torch.autograd.grad(torch.stack([s.values.square().mean() for s in states]).sum(), inputs)
    assert gradient.isfinite().all()
    assert (gradient != 0).float().mean() > 0.9


def test_training_through_states_changes_the_layers_below_them_alone() -> None:
    made = copy.deepcopy(network("ecapa")).train()
    (state,) = made.states(batch("ecapa"), only=["layer2"])
    state.values.square().mean().backward()
    having = {name.partition(".")[0] for name, p in made.named_parameters() if p.grad is not None}
    assert having == {"conv1", "bn1", "layer1", "layer2"}


def test_rawnet2_has_states_of_one_window_alone() -> None:
    made = network("rawnet2")
    with torch.no_grad():
        short = made.states(torch.randn(1, 400))
    assert [int(s.mask.sum()) for s in short] == [134, 45, 15, 5, 2, 1, 1, 1]
    with pytest.raises(ModelError, match=r"one window of 59049 samples, given an utterance of 60000; .* 3\.69 s"):
        made.states(torch.zeros(2, 60_000), torch.tensor([60_000, WINDOW]))


def test_a_name_that_a_network_does_not_offer_is_refused_with_those_that_it_does() -> None:
    with pytest.raises(ConfigError, match=r"ECAPA has no inner state 'layer5'; expected some of stem, layer1"):
        network("ecapa").states(batch("ecapa"), only=["layer5"])
    with pytest.raises(ConfigError, match=r"fusion\.faces 'iresnet18' \(IResNet-18\) has no inner state 'repeat_1'"):
        offered_states(VISUAL, "iresnet18", ["layer1", "repeat_1"], key="fusion.faces")
    assert offered_states(VISUAL, "iresnet50", ["layer3"]) == (Layer("layer3", 256, 8, size=(14, 14)),)


def test_faces_have_no_lengths() -> None:
    with pytest.raises(ModelError, match="faces are given with lengths"):
        network("mobileface").states(batch("mobileface"), torch.tensor([1, 1]))


@pytest.mark.parametrize(
    ("table", "having"), [(AUDIO, "ecapa_small, .*wavlm_mhfa"), (VISUAL, "iresnet18, .*inception")]
)
def test_files_of_a_format_have_none_and_those_that_have_are_named(table, having: str) -> None:
    with pytest.raises(ConfigError, match=rf"arch 'onnx' \(.*\) has no inner states; choose one that has: {having}"):
        offered_states(table, "onnx", key="arch")


def test_an_onnx_file_that_is_asked_says_so() -> None:
    speaker = OnnxSpeaker.__new__(OnnxSpeaker)
    nn.Module.__init__(speaker)
    speaker.path = "resnet34.onnx"  # type: ignore[assignment]
    with pytest.raises(ConfigError, match=r"resnet34\.onnx \(an ONNX file\) has no inner states; choose one"):
        speaker.states(torch.zeros(1, 16_000))


def test_vut_reads_maps_of_the_published_sizes() -> None:
    """VUT's lower-level attention: linear layers from 768 + 2809, 576 and 121 numbers."""
    maps = offered_states(VISUAL, "inception_resnet_v1_112", ["conv2d_2a", "conv2d_4a", "repeat_1"])
    assert [(m.channels, m.size) for m in maps] == [(32, (53, 53)), (192, (24, 24)), (256, (11, 11))]


def test_what_is_offered_is_known_without_torch() -> None:
    code = (
        "import sys; from avsieve.encoders.registry import VISUAL, offered_states; "
        "assert offered_states(VISUAL, 'iresnet18'); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_state_says_where_it_comes_from() -> None:
    state = State(Layer("layer1", 4, 160), torch.zeros(1, 3, 4), torch.ones(1, 3, dtype=torch.bool))
    assert (state.name, state.step) == ("layer1", 160)


def test_the_frames_of_wavlm_lie_where_its_convolutions_put_them() -> None:
    config = network("wavlm").model.config
    step, start = 1, 0.0
    for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True):
        start += (kernel - 1) / 2 * step
        step *= stride
    assert {(layer.step, layer.start) for layer in AUDIO["wavlm_mhfa"].states} == {(step, start)}
