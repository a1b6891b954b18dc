"""Vectors for the legacy scorer: the described behaviour of the published reward, with Python's own arithmetic.

Rules: what follows the first `Assistant:`, its last line, the last answer tag in it; runs of digits must be the given numbers;
only digits, + - * / ( ) . and white space; evaluated as Python; within 1e-5 of the target. Powers are kept small.
Run: python3 countdown-legacy.py  (Python 3.11, standard library only; writes countdown-legacy.jsonl)
"""
import json
import re
import warnings
from pathlib import Path

warnings.simplefilter("ignore")


def score(text, numbers, target):
    _, mark, rest = text.partition("Assistant:")
    if not mark:
        return 0
    pairs = re.findall("<answer>(.*?)</answer>", rest.rsplit("\n", 1)[-1])
    if not pairs:
        return 0
    answer = pairs[-1].strip()
    if sorted(int(run) for run in re.findall("[0-9]+", answer)) != sorted(numbers):
        return 0.1
    if set(answer) - set("0123456789+-*/(). \t\n\r\f\v"):
        return 0.1
    try:
        return 1 if abs(eval(answer) - target) < 1e-5 else 0.1
    except Exception:
        return 0.1


A = "Assistant: <answer>"
Z = "</answer>"
THREE = ([9, 8, 6], 66)
cases = [
    # where the answer stands
    *[(text, *THREE) for text in [
        f"{A}9*8-6{Z}", f"{A} 9 * 8 - 6 {Z}", f"{A}9*8-6{Z}\n", f"{A}9*8-6{Z}\nso", f"{A}9*8-6{Z} so", f"{A}\n9*8-6\n{Z}",
        f"Assistant: think\n<answer>9*8-6{Z}", f"Assistant: think\n<answer>9*8-6{Z} \n", "<answer>9*8-6</answer>", "",
        "assistant: <answer>9*8-6</answer>", f"{A}9*8-6", "Assistant: 9*8-6", f"{A}{Z}", f"{A} {Z}",
        f"{A}9*8-6{Z}<answer>66{Z}", f"{A}66{Z}<answer>9*8-6{Z}", f"{A}1{Z}\n<answer>9*8-6{Z}", f"{A}9*8-6{Z}\n<answer>1{Z}",
        f"{A}<answer>9*8-6{Z}", f"{A}9*8-6{Z}{Z}", f"Assistant: {Z}<answer>9*8-6{Z}", f"{A}9*8-6{Z}<answer>",
        f"User: e.g. <answer>1+2{Z}\nAssistant: so <answer>9*8-6{Z}", f"<answer>9*8-6{Z}\nAssistant: none",
        f"Assistant: a\nAssistant: <answer>9*8-6{Z}", f"{A}9*8-6{Z} Assistant: no", f"<think>x</think>\n{A}9*8-6{Z}",
        f"{A}9*8-6{Z}\r\n", f"{A}9*8-6{Z}\r",
    ]],
    # what the answer holds
    *[(f"{A}{text}{Z}", *THREE) for text in [
        "8*9-6", "(9*8)-6", "-6+9*8", "+9*8-6", "--9*8-6", "9*8+-6", "9*8-+6", "9*8--6", "- - 9*8-6", "9+8+6", "66", "9*8", "9*8-6+0",
        "9*8-6 = 66", "9*8-6=66", "9 x 8 - 6", "9\u00d78-6", "9*8\u22126", "\\boxed{9*8-6}", "9*8-6.", "9*8-6.0", "9.*8-6", "9.*8-6.",
        "09*8-6", "9*8-06", "(9*8-6", "9*8-6)", "((((9*8))))-6", "9(8)-6", "(9)(8)-6", "9 8 6", "9*8 6", "()9*8-6", "9**8-6", "9//8-6",
        "9*8-6 #", "9*8-6;", "9*8,6", "9_8-6", "9*8-6e0", "9e0*8-6", "0x9*8-6", "print(9*8-6)", "9*8%6", "9^8-6", "9*\t8-6", "9*8-6\t",
        "9 * 8 -\u00a06", "9 * 8 -\u20036", "9*8-6\x0b", "9*8\x0c-6", "98-6", "9*8-6-", "*9*8-6", "/", "9/*8-6", "9*/8-6", "9 * * 8-6", "9***8-6",
    ]],
    (f"{A}2**3{Z}", [2, 3], 8), (f"{A}2 ** 3{Z}", [2, 3], 8), (f"{A}-2**2{Z}", [2, 2], -4), (f"{A}(-2)**2{Z}", [2, 2], 4),
    (f"{A}2**3**2{Z}", [2, 3, 2], 512), (f"{A}(2**3)**2{Z}", [2, 3, 2], 64), (f"{A}2**-1*6{Z}", [2, 1, 6], 3), (f"{A}4**0.5{Z}", [4, 0, 5], 2),
    (f"{A}8**(1/3){Z}", [8, 1, 3], 2), (f"{A}(-8)**(1/3){Z}", [8, 1, 3], -2), (f"{A}0**0{Z}", [0, 0], 1), (f"{A}0**-1{Z}", [0, 1], 0),
    (f"{A}1**99999999999999999999{Z}", [1, 99], 1), (f"{A}10**20-10**20+7{Z}", [10, 20, 10, 20, 7], 7), (f"{A}2.0**3{Z}", [2, 0, 3], 8),
    (f"{A}10.0**400{Z}", [10, 0, 400], 1), (f"{A}10**400/10**400{Z}", [10, 400, 10, 400], 1), (f"{A}10**400/1.0{Z}", [10, 400, 1, 0], 1),
    (f"{A}7//2{Z}", [7, 2], 3), (f"{A}7 // 2{Z}", [7, 2], 3), (f"{A}-7//2{Z}", [7, 2], -4), (f"{A}7//-2{Z}", [7, 2], -4), (f"{A}-7//-2{Z}", [7, 2], 3),
    (f"{A}7.0//2{Z}", [7, 0, 2], 3), (f"{A}-7.5//2{Z}", [7, 5, 2], -4), (f"{A}1//0.1{Z}", [1, 0, 1], 9), (f"{A}7//0{Z}", [7, 0], 0), (f"{A}7/ /2{Z}", [7, 2], 3),
    (f"{A}3.5*2{Z}", [3, 5, 2], 7), (f"{A}.5*2{Z}", [5, 2], 1), (f"{A}2*5.{Z}", [2, 5], 10), (f"{A}1.5.5{Z}", [1, 5, 5], 1), (f"{A}0.1+0.2{Z}", [0, 1, 0, 2], 0),
    (f"{A}00+5{Z}", [0, 5], 5), (f"{A}0+5{Z}", [0, 5], 5), (f"{A}007+0{Z}", [7, 0], 7), (f"{A}07.5*2{Z}", [7, 5, 2], 15), (f"{A}5/0{Z}", [5, 0], 5),
    (f"{A}5/0.0{Z}", [5, 0, 0], 5), (f"{A}1/3*3{Z}", [1, 3, 3], 1), (f"{A}8/(3-8/3){Z}", [3, 3, 8, 8], 24), (f"{A}10/3{Z}", [10, 3], 3),
    (f"{A}1/100000+5{Z}", [1, 100000, 5], 5), (f"{A}1/200000+5{Z}", [1, 200000, 5], 5), (f"{A}1/100001+5{Z}", [1, 100001, 5], 5), (f"{A}1/99999+5{Z}", [1, 99999, 5], 5),
    (f"{A}9007199254740991+2-1{Z}", [9007199254740991, 2, 1], 9007199254740991),
    (f"{A}9007199254740991*3/3{Z}", [9007199254740991, 3, 3], 9007199254740991), (f"{A}9007199254740991*3//3{Z}", [9007199254740991, 3, 3], 9007199254740991),
    (f"{A}5*5{Z}", [5, 5], 25), (f"{A}5*5{Z}", [5], 25), (f"{A}12+3{Z}", [1, 2, 3], 15), (f"{A}3*4-5+0{Z}", [3, 4, 5], 7), (f"{A}-5{Z}", [5], -5),
]

out = Path(__file__).with_suffix(".jsonl")
with out.open("w") as file:
    for text, numbers, target in cases:
        file.write(json.dumps({"text": text, "numbers": numbers, "target": target, "score": score(text, numbers, target)}) + "\n")
print(len(cases), "vectors")
