"""A network as a value: read, checked and counted, ready to be built, drawn and printed."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from netdsl.amounts import counted
from netdsl.checking import checked
from netdsl.collector import paused
from netdsl.errors import Diagnostic, NetDSLError, NetDSLWarning
from netdsl.ir import Graph, Settings
from netdsl.lower import (
    Loader,
    Overrides,
    given,
    inline,
    lower,
    make_overrides,
    value_text,
    write_in,
)
from netdsl.measure import computed, depth, has_effect, total, training_step
from netdsl.shelf import read_bytes
from netdsl.syntax import to_text, tree

if TYPE_CHECKING:
    import networkx as nx
    from torch import Tensor, nn

    from netdsl.backends.pytorch import Network as Module
    from netdsl.transfer import Transfer

# Settings that decide what a bare column of a table means.
ASSUMABLE = ("norm", "act", "init", "bias", "shortcut", "head")


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """A network that was read, checked and counted; it never changes.

    `settings_read` holds those that stood in for what a layer did not say, `warnings` what was
    found and is no error.
    """

    file: tree.File
    overrides: Overrides
    loader: Loader
    checked: Graph
    settings: Settings
    settings_read: frozenset[str]
    warnings: tuple[Diagnostic, ...]

    @property
    def name(self) -> str:
        """The name in the header, or that of the file."""
        source = self.file.span.source.name
        return self.settings.name or ("network" if source.startswith("<") else Path(source).stem)

    @property
    def title(self) -> str:
        """The name, and that it is the plain network if it is."""
        return self.name if self.settings.residual else f"{self.name}, plain"

    @property
    def assumed(self) -> tuple[str, ...]:
        """The settings that neither the file nor the caller gave, as they would be written.

        Those that nothing in the network reads are left out.
        """
        said = {e.key for e in self.file.header if isinstance(e, tree.Setting)}
        said |= set(self.overrides.names)
        scales = [e for e in self.file.header if isinstance(e, tree.Scale)]
        said |= {o.key for e in scales if e.name == self.overrides.scale for o in e.options}
        return tuple(
            f"{key} {getattr(self.settings, key)}"
            for key in ASSUMABLE
            if key not in said and has_effect(key, self.checked, self.settings, self.settings_read)
        )

    def standalone(self) -> str:
        """Return the canonical text with what `use` brings written out: it needs no other file.

        It is the text of the file: what `overrides` holds, or a scale, is to be given with it.
        """
        return to_text(inline(self.file, self.loader))

    @property
    def graph(self) -> nx.DiGraph[str]:
        """A networkx digraph with op, shape, params, macs, span, scope, layer on every node.

        It is made anew each time, and may be changed; `nx.write_graphml` takes it once all that is
        known of nodes and edges is text: `known.update({key: str(known[key]) for key in known})`.
        """
        return self.checked.to_networkx()

    @property
    def params(self) -> int:
        """The number of learned parameters."""
        return total(self.checked).params

    @property
    def macs(self) -> int:
        """Multiply-adds of convolutions and fully connected layers, for one image."""
        return total(self.checked).macs

    @property
    def depth(self) -> int:
        """Convolutions and fully connected layers on the longest path."""
        return depth(self.checked)

    @property
    def blocks(self) -> int:
        """The number of residual blocks."""
        return training_step(self.checked).blocks

    @property
    def expected_blocks(self) -> float:
        """The residual blocks that a training step computes on average (stochastic depth)."""
        return training_step(self.checked).expected_blocks

    @property
    def expected_macs(self) -> int:
        """Multiply-adds that a training step computes on average (stochastic depth), an image."""
        return training_step(self.checked).expected_macs

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Channels, height and width of an image, or the length of a vector."""
        return self.checked.input.shape.dims

    @property
    def output_shape(self) -> tuple[int, ...]:
        """The shape of what comes out, without the batch."""
        return self.checked.output.shape.dims

    def plain(self) -> Network:
        """Return the plain twin: the same network without its shortcuts."""
        return self.override(residual=False)

    def override(
        self,
        /,
        *,
        plain: bool | None = None,
        input: Sequence[int] | None = None,
        classes: int | None = None,
        scale: str | None = None,
        **parameters: object,
    ) -> Network:
        """Return the network with other parameters or settings than it has, as `load` takes them.

        Options of layers are given by their names too: `net.override(**{"BB.dropout": 0.3})`; what
        stands behind `**` is a `dict[str, Any]` to those who check types.
        """
        said = make_overrides(plain, input, classes, scale, parameters)
        names = {**self.overrides.names, **said.names}
        return build(self.file, Overrides(names, said.scale or self.overrides.scale), self.loader)

    def module(self, seed: int = 0) -> Module:
        """Return the network as a torch module in training mode, initialised by the seed.

        The seed is a whole number of 0 or more; another is a `NetDSLError`. The parameters are made
        on the CPU, whatever torch's default device is: `net.module().to("cuda")` moves them, and
        `.to("meta")` leaves their shapes alone. What `source` prints is made on the default device.
        """
        from netdsl.backends.pytorch import to_module  # torch takes a second to import

        return to_module(self.checked, self.settings, seed)

    def transfer(
        self, source: nn.Module | Mapping[str, Tensor], *, partial: bool = False, seed: int = 0
    ) -> Transfer:
        """Return the network with the weights of another, and where each of them came from.

        Raises `NetDSLError` unless the layers of both can be paired and, where `source` is a
        module, compute the same; the last layer may differ in its classes, others with `partial`.
        Of weights by name, those that only one side has are left: `unused` and `initialised` name
        them.
        """
        from netdsl.transfer import transfer

        return transfer(self.module(seed), self.input_shape, source, partial=partial)

    def load_weights(
        self,
        source: nn.Module | Mapping[str, Tensor] | str | Path,
        *,
        partial: bool = False,
        seed: int = 0,
    ) -> Module:
        """Return the network as a module with the weights of another, or of a file.

        A text names a file, or pre-trained weights as `torchvision:resnet18` and `timm:resnet18`
        do; those are downloaded once.

        Warns of layers that stay as they are initialised, of those of the source that no layer
        took, and where a file says that its weights were trained in a network that computes
        something else, as its plain twin does. See `transfer`, which also tells which layer got
        which weights; `netdsl.load_trained` opens what a training has kept.
        """
        from netdsl.transfer import open_source

        found = open_source(str(source)) if isinstance(source, str | Path) else source
        done = self.transfer(found, partial=partial, seed=seed)
        if done.initialised:
            warnings.warn(f"left as initialised: {', '.join(done.initialised)}", stacklevel=2)
        # A last layer of other classes is told already: it stays as it is initialised.
        if more := [name for name in done.unused if name not in done.unlike]:
            warnings.warn(f"not used of the source: {', '.join(more)}", stacklevel=2)
        if isinstance(source, str | Path) and (another := self.trained_elsewhere(source, done)):
            told = f"{another}: `netdsl.load_trained` opens it as it was trained"
            warnings.warn(told, NetDSLWarning, stacklevel=2)
        return done.module  # type: ignore[return-value]

    def trained_elsewhere(self, source: str | Path, done: Transfer) -> str:
        """Return what a file says of all its weights where a network unlike this one has them.

        Empty where they were trained in this network, do not all fit it, or come without a word.
        """
        trained = None if done.initialised or done.unused else _kept_beside(str(source))
        if trained is None or computed(trained.checked) == computed(self.checked):
            return ""
        said = _said(trained.overrides)
        fact = f"{source} was trained in a network that computes something else"
        return f"{fact}, with {said}" if said else fact

    def source(self, module: str = "") -> str:
        """Return a Python file that needs torch alone and defines the same network.

        The example in it imports the network from a module of this name, or of the network's own.
        """
        from netdsl.backends.source import to_source

        return to_source(self.checked, self.settings, self.name, self._alone(), module)

    def table(self, *, expand: bool = False) -> str:
        """Return the table of layers as plain text."""
        from netdsl.backends.table import to_table

        return to_table(self.checked, expand=expand)

    def dot(self, *, twin: bool = False, expand: bool = False) -> str:
        """Return the drawing as DOT text; with `twin`, of the residual and the plain network."""
        from netdsl.backends.drawing import to_dot

        return to_dot(self._drawn(twin), expand=expand)

    def draw(self, path: str | Path, *, twin: bool = False, expand: bool = False) -> Path:
        """Draw the network into an svg, png, pdf or dot file, by the suffix of the path.

        Warns (`NetDSLWarning`) of letters that no font here has; in a png or pdf they are boxes.
        """
        from netdsl.backends.drawing import draw

        return draw(self._drawn(twin), Path(path), expand=expand)

    def __str__(self) -> str:
        """Return canonical text with what was said in place of the file written into it.

        What no text can say, as a scale with a width, is named in a comment above it.
        """
        file, rest = write_in(self.file, self.overrides)
        text = to_text(file)
        said = _said(rest)
        return f"# beside this text: {said}\n{text}" if said else text

    def __repr__(self) -> str:
        plain = "" if self.settings.residual else ", plain"
        layers, params = counted(self.depth, "layer"), counted(self.params, "parameter")
        return f"<Network {self.name!r}{plain}: {layers}, {params}>"

    def _repr_svg_(self) -> str | None:
        """Return what a notebook shows; None where the network is too large to be drawn."""
        from netdsl.backends.drawing import to_svg

        try:
            return to_svg(self._drawn(twin=False))
        except NetDSLError:
            return None

    def _alone(self) -> str:
        """The text that this network can be read from without anything else; "" for none."""
        file, rest = write_in(self.file, self.overrides)
        if rest.names or rest.scale:
            return ""
        inlined = inline(file, self.loader)
        others = tree.Scale | tree.Expect
        header = tuple(entry for entry in inlined.header if not isinstance(entry, others))
        return to_text(replace(inlined, header=header, comments=()))

    def _drawn(self, twin: bool) -> list[tuple[str, Graph]]:
        networks = (self.override(residual=True), self.plain()) if twin else (self,)
        return [(network.title, network.checked) for network in networks]


@paused()
def build(file: tree.File, overrides: Overrides, loader: Loader) -> Network:
    """Return the checked network; raise `NetDSLError` with all that is wrong."""
    lowered = lower(file, overrides, loader)
    graph, findings = checked(lowered)
    return Network(
        file, overrides, loader, graph, lowered.settings, lowered.settings_read, findings
    )


def rebuild(text: str, overrides: Mapping[str, object], scale: str | None, name: str) -> Network:
    """Return the network of a text that a run kept, and of what was said in place of it.

    `name` is what diagnostics call the text; values that JSON has as lists are sizes.
    """
    names = {k: tuple(v) if isinstance(v, list) else v for k, v in overrides.items()}
    source = read_bytes(text.encode(), name)
    return build(*source.with_overrides(make_overrides(None, None, None, scale, names)))


def _kept_beside(source: str) -> Network | None:
    """Return the network that weights were trained as, where their file says it."""
    from netdsl.transfer import said_beside

    said = said_beside(source)
    text, overrides, scale = (said.get(name) for name in ("network", "overrides", "scale"))
    if not isinstance(text, str) or not isinstance(overrides, dict | None):
        return None
    if not isinstance(scale, str | None):
        return None
    with suppress(NetDSLError):  # weights alone are of use too
        return rebuild(text, overrides or {}, scale, source)
    return None


def _said(overrides: Overrides) -> str:
    """Return what was said in place of a text, as a comment or a message has it."""
    said = [f"{name}={value_text(given(value))}" for name, value in overrides.names.items()]
    return ", ".join([*said, f"scale {overrides.scale}"] if overrides.scale else said)
