"""Texts that are files of the language, each by itself: they parse, and printing loses nothing."""

from __future__ import annotations

import pytest

from netdsl.syntax import parse, to_text

# The manual's own examples, section by section, as they stand there.
MANUAL = {
    "file": r"""
# === 1 FILE. UTF-8, *.arch: header, then layers. Newlines mean nothing; spaces only between two numbers.
# Layer names: letters, Capital first, no digits, so BB512 = BB 512, Avg2Max2 = Avg 2 Max 2. The rest is lower case.
(Conv 64)x2 Avg2 BB128 Max2 (BB256)x2 Dropout FC200        # a paper-table row, verbatim
# ===
(Conv 64)× 2, Avg2 → BB512; (BB 64) ×3  (BB 64)*2           # x × * repeat a group; , ; -> → are optional
""",
    "header": r"""
# === 2 HEADER. `key value` sets a known key (unknown key: error). `name = expr` makes a parameter.
name "ResNet-56"   input 3x32x32   classes 10
norm batch   act relu   init kaiming   bias auto   # norm batch|group|layer|none; init kaiming|xavier|zero_last
shortcut pad                           # pad | avgpad | project | always | identity, see Shortcuts
residual on                            # off = the plain twin; on the command line --plain
head flatten                           # what FC does with a CxHxW map: flatten | gap
drop_path 0.5                          # stochastic depth: survival falls linearly over the blocks to 1 - 0.5
default BB(dropout=0.5)                # the options every BB of this file has unless it says otherwise
use "blocks.arch"                      # blocks (def) of another file, by a path relative to this one; runs no code
n = (56 - 2) / 6   k = 1               # + - * / // % ( ); / must divide exactly; on the command line -D n=18
expect(params=0.85M depth=56)          # the build fails unless this holds to the digits written
scale s(width=0.5)   scale l(width=2 depth=2)               # on the command line --scale l
""",
    "layers": r"""
# === 3 LAYERS: Name arguments. In any order, no parentheses, no commas.
Conv 64                                # 3x3, "same" padding, then norm, then act
Conv 64 k7 s2   Conv64k7s2             # short option = letter + integer (k s p d g e r m), may be glued
Conv 64 7x7 s2   Conv3x3 64            # a size is the kernel
Conv 64 k=3x5 act=none norm=none bias g32 d2 p0             # key=value always works; a bare word is a flag
DWConv 3x3   Deconv 64 s2   Up 2   SE r16
Max 2   Max 3 s2   Avg 2   AvgTo 6   GAP                    # pool: stride = kernel unless given; GAP = global average
Norm   Act gelu   Dropout 0.3   Flatten   FC 200            # Dropout alone = 0.5
Shuffle 2   LayerScale 1e-6                                 # see Layers
Torch "nn.Hardswish" inplace=true      # any layer class of torch.nn, and nothing else; shape by a meta-device run
""",
    "arithmetic": r"""
# === 4 ARITHMETIC. An argument is a sum or product without parentheses; [ ] holds a full expression.
k = 2   c = 24
Conv 16*k   Conv [(c+8)/2]   FC 2*c+1   Conv 4*cin 1x1      # cin = the channels that arrive at this layer
""",
    "residual": r"""
# === 5 RESIDUAL. BB, Bott, Res insert the shortcut: identity if shapes agree, else what `shortcut` says.
BB 128                                 # Conv c, Conv c act=none, + shortcut, act
BB 128 s2 shortcut=project dropout=0.5 pre                  # pre = order=pre, see Block orders
Bott 256 e4 g32                        # 1x1 c/e, 3x3 c/e, 1x1 c; c is the OUTPUT width
Res( (BB 64)x3 )                       # a shortcut around a whole group: residual of residual
Res shortcut=project act=relu ( Conv 128 s2  Conv 128 act=none )
Res( Res( (BB 64)x2 )x3 )x2
""",
    "branches": r"""
# === 6 BRANCHES. `|` separates, an empty branch is identity. Add wants equal shapes, Cat equal HxW.
Cat( Conv 64 1x1 | Conv 96 1x1 Conv 128 | Max 3 s1 Conv 32 1x1 )
Add( Conv 96 Conv 96 act=none | Conv 96 1x1 )
Conv 64 @enc   Max 2 Conv 128 Up 2   Cat( | @enc Conv 16 )  # `item @a` labels, `@a` at a branch's start reads
Conv 128 :128x64x64                    # asserts the shape: the output-size column of the paper
""",
    "repeats": r"""
# === 7 REPEATS bind to a group. A list gives one value per repetition; the last one stays.
n = 9
(BB 32 s=[2,1])x n   (Conv [64,128,256])x3   ((BB 64)x2 Max2)x3
""",
    "blocks and scaling": r"""
# === 8 BLOCKS AND SCALING
n = 9
def Stage(c, n, s=2) { (BB c s=[s,1])x n }
Conv 16!   Stage 16 n s=1   Stage 32 n   Stage 64 n   GAP   FC classes
# `width` multiplies the channels of Conv, BB, Bott, Deconv; `depth` multiplies repeat counts. `16!` and `x3!` are pinned.
""",
    "plain": r"""
# === 9 PLAIN. `residual off` takes the shortcuts of BB, Bott and Res and their parameters away; Add and Cat stay.
""",
}

PAPERS = {
    "000 net 1": "(Conv 64)× 2, Avg 2, BB 64, BB 128, Avg 2, BB 128, BB 256, Avg 2, BB 256, Avg 2, BB 512, "
    "Avg 2, FC 200",
    "000 net 2": "Conv 64, Avg 2, BB 128, Avg 2, BB 128, BB 256, Avg 2, BB 256, Avg 2, BB 512, Avg 4, FC 200",
    "000 net 3": "Conv 32\nConv 64\nMax 2\n(BB 64)×2\nAvg 2\n(BB 128)×3\nAvg 2\nBB 128\nAvg 2\nBB 256\nFC 200",
    "000 net 4": "(Conv 64)×2 Avg 2 (BB 64)×3 Max 2 (BB 128)×3 Max 2 BB 256 BB512 Avg 2 Dropout FC 200",
    "000 net 5": "(Conv 64)×2Avg2BB128Max2(BB256)×2Max2(BB512)×2Avg2DropoutFC200",
    "000 net 6": "(Conv\u00a064)\u00a0×\u00a02, Avg\u20092, (Conv 64)×2 → (Conv 128)✕2 -> Avg 2; FC 200;",
    "002 plain": "n = 9 residual off Conv 16 (BB 16)x n (BB 32 s=[2,1])x n (BB 64 s=[2,1])x n GAP FC 10",
    "002 resnet": "n=9 def Stage(c,n,s=2){(BB c s=[s,1])x n}Conv 16!Stage 16 n s=1 Stage 32 n Stage 64 n GAP FC classes",
    "002 resresnet": "n = 5 Conv 16 Res( (BB 16)x n ) Res( (BB 32 s=[2,1])x n ) Res( (BB 64 s=[2,1])x n ) GAP FC 10",
    "003 resnet-34": "shortcut project drop_path 0.5 Conv 64 k7 s2 Max 3 s2 p1 (BB 64)x3 (BB 128 s=[2,1])x4 "
    "(BB 256 s=[2,1])x6 (BB 512 s=[2,1])x3 GAP FC 200",
    "003 pre-activation": "default BB(pre) Conv 64 k7s2 norm=none act=none Max 3 s2 (BB 64)x3 Norm Act GAP FC 200",
    "004 base": "input 3x32x32 classes 100 Conv64k7s2 Max3s2p1 (BB64)x2 (BB128 s=[2,1])x2 (BB256 s=[2,1])x2 "
    "(BB512 s=[2,1])x2 GAP FC classes",
    "004 wide": "k = 2 shortcut_kernel 3 Conv 64 7x7 s2 Max 3 s2 p1 (BB 64*k)x2 (BB 128*k s=[2,1])x2 GAP FC 100",
    "004 no norm": "norm none bias off Conv 64 7x7 s2 bias=on (BB 64)x2 GAP FC 100 bias=off",
}

NETWORKS = {
    "alexnet": "norm none Conv 64 11x11 s4 p2 Max 3 s2 p0 Conv 192 k5 Max 3 s2 Conv 384 (Conv 256)x2 Max 3 s2 AvgTo 6 "
    "Dropout FC 4096 Dropout FC 4096 FC 1000",
    "vgg": "(Conv 64)x2 Max2 (Conv 128)x2 Max2 (Conv 256)x3 Max2 ((Conv 512)x3 Max2)x2 (FC 4096 Dropout)x2 FC 1000",
    "googlenet": "def Inception(a, b, c, d, e, f) { Cat( Conv a 1x1 | Conv b 1x1 Conv c | Conv d 1x1 Conv e 5x5 | "
    "Max 3 s1 Conv f 1x1 ) }\nConv 64 7x7 s2 Max 3 s2 Inception 64 96 128 16 32 32 GAP FC 1000",
    "inception factors": "Cat( Conv 64 k1x7 Conv 64 k7x1 | Conv 64 k1×7p0x3 | Avg 3 s1 Conv 32 1x1 )",
    "densenet": "k = 32 def Dense(n) { ( Cat( | Norm Act Conv 4*k 1x1 norm=none Conv k act=none ) )x n }\n"
    "def Down() { Conv [cin/2] 1x1 Avg 2 }\nConv 2*k 7x7 s2 Max 3 s2 Dense 6 Down Dense 12 GAP FC 1000",
    "mobilenet": "def MB(c, s=1, e=6, k=3) { Res shortcut=identity ( Conv e*cin 1x1 DWConv k=k s=s Conv c 1x1 act=none ) }\n"
    "act relu6 Conv 32 s2 MB 16 e=1 (MB 24 s=[2,1])x2 Conv 1280 1x1 GAP Dropout 0.2 FC 1000",
    "efficientnet": "scale b0(width=1 depth=1) scale b1(width=1.0 depth=1.1)\n"
    "def MB(c, k, s, se=1) { Res drop_path=0.2 ( DWConv k=k s=s (SE r4 gate=sigmoid)x se Conv c 1x1 ) }\n"
    "Conv 32 s2 act=silu (MB 16 3 s=1)x1 (MB 24 3 s=[2,1])x2 (MB 40 5 2)x2! FC 1000",
    "shufflenet": "Cat( Part 1 2 | Part 2 2 Conv 58 1x1 DWConv 3x3 act=none Conv 58 1x1 ) Shuffle 2",
    "convnext": "norm layer act gelu Conv 96 4x4 s4 act=none "
    "(Res drop_path=0.1 ( DWConv 7x7 act=none Conv 4*cin 1x1 norm=none Conv [cin/4] 1x1 LayerScale 1e-6 ))x3",
    "resnext": "Bott 256 e4 g32 (Bott 512 e=2 g=32 s=[2, 1])x4 Bott 1024 dropout=1.5e-1",
    "unet": "Conv 64 @one Max 2 Conv 128 @two Max 2 Conv 256 Up 2 Cat( | @two ) Conv 128 Up 2 Cat(@one|) Conv 2 1x1",
    "autoencoder": "Conv 16 s2 Conv 32 s2 Deconv 16 s2 Deconv 3 s2 norm=none act=tanh :3x64x64",
    "squeeze": "def Fire(s, e) { Conv s 1x1 Cat( Conv e 1x1 | Conv e ) } Fire 16 64 Fire 16 64 GAP",
    "torch layers": 'Torch "nn.Hardswish" inplace=true Torch "nn.PReLU" num_parameters=8 init=-0.25',
}

FORMS = {
    "nothing": "",
    "a comment": "# nothing yet",
    "only blocks": "def Stage(c) { BB c }  def Nothing() { }",
    "carriage returns": "norm none\r\n# old\r\nConv 64\r\n",
    "a trailing separator": "Conv 64, Conv 32,",
    "header words as keys": "Conv 64 scale=2 default=on def=1 expect=3",
    "spaces at the equals sign": "n =\n9 Conv 64 k = 3 act\t=relu",
    "a comment in a layer": "Conv # how many\n 64 # and how large\n k=3",
    "signs": "n = -(1 + 2) * -3 Conv [-n, n - -1] p=-1",
    "nested lists": 'Conv [[1, 2], [3x3, "a"], none] k=[3, [5]]',
    "pins": "Conv 16! Conv 2*c! Conv [(c+8)/2]! (BB 8)x3! (BB 8)x[2, 3]! (BB 8)x 2*n!",
    "labels like repeats": "Conv 64 @x2 Cat(@x2 | @k3)",
    "empty branches": "Add( | ) Cat(|Conv 3|) Res()",
    "branches of branches": "Cat( Cat( Conv 1 | Conv 2 ) | Add( Conv 3 | Res act=relu ( Conv 3 ) ) )x2 @all :6x3x3",
    "default of a combination": "default Res(shortcut=project act=relu)\nRes pre ( Conv 3 )",
    "expectations": "expect(params=0.85M macs=1.5G depth=56 out=10) expect(n=18 params=1727962)",
    "lists everywhere": "n = [1, 2] scale s(width=[1, 2]) Conv n",
    "a repeat without a space": "n = 2 (BB 64)xn",
    "quotes": 'name "# not ( a comment" Torch "a -> b" Conv 3',
}

TEXTS = {**MANUAL, **PAPERS, **NETWORKS, **FORMS}


@pytest.mark.parametrize("name", TEXTS)
def test_text_parses_and_prints_to_itself(name: str) -> None:
    file = parse(TEXTS[name])
    printed = to_text(file)
    assert parse(printed) == file
    assert to_text(parse(printed)) == printed


@pytest.mark.parametrize("name", TEXTS)
def test_no_comment_is_lost(name: str) -> None:
    file = parse(TEXTS[name])
    printed = parse(to_text(file))
    assert [comment.text for comment in printed.comments] == [c.text for c in file.comments]
