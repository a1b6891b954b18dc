"""Golden pieces for src/priming/pieces.ts: the Rust tokenizers library splits the same texts with the same expression.

Run from the root of the repository: python3 test/golden/pieces.py
Writes test/golden/pieces.json.
"""
import json
import pathlib
import re

import tokenizers
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

HERE = pathlib.Path(__file__).parent
SOURCE = (HERE / "../../src/priming/pieces.ts").read_text()
PATTERN = json.loads('"' + re.search(r'PIECE_PATTERN =\s+"(.*)";', SOURCE).group(1) + '"')

TEXTS = [
    "Use 9, 8, 6 to make 66.\n<think>",
    " Take 9 * 8 = 72, then 72 - 6 = 66.</think>\n<answer> ( 9 + 8 ) * 6 </answer>",
    " </think>\n<answer> 9 * 8 - 6 </answer>",
    " . . .</think>",
    "9+8=17 and17 then  two   spaces",
    "tab\tand\r\nline\n\nfeeds ",
    "<b>1</b> < 2 > 3 </ x> <think <answer>",
    "caf\u00e9 na\u00efve \u2212 \u00d7 3.5e10 _x_",
    "emoji \U0001f600 and \u4e2d\u6587",
    "",
    " ",
]


def main() -> None:
    split = pre_tokenizers.Split(Regex(PATTERN), behavior="isolated")
    cases = []
    for text in TEXTS:
        pieces = [piece for piece, _ in split.pre_tokenize_str(text)]
        vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(["<unk>", *pieces]))}
        tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
        tokenizer.pre_tokenizer = split
        tokenizer.decoder = decoders.Fuse()
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        assert tokenizer.decode(ids, skip_special_tokens=False) == text, text
        cases.append({"text": text, "pieces": pieces})
    golden = {"tokenizers": tokenizers.__version__, "pattern": PATTERN, "cases": cases}
    (HERE / "pieces.json").write_text(json.dumps(golden, indent=1) + "\n")


main()
