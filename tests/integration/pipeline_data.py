"""Small data sets with something to learn in them, the same on every run."""

import csv
import random

COMPLAINTS = ("the delivery is late", "I was billed twice", "the app crashes", "nobody answers my calls")
QUESTIONS = ("where is my invoice", "how do I export", "which plan has this", "can I change the colour")


def tickets(seed, rows, *, wrong=0.1):
    """Texts with a category and numbers; urgent or not. A share `wrong` of the labels is wrong."""
    draw = random.Random(seed)
    table = []
    for _ in range(rows):
        urgent = draw.random() < 0.5
        text = draw.choice(COMPLAINTS if urgent else QUESTIONS)
        shown = urgent if draw.random() >= wrong else not urgent
        table.append(
            {
                "text": f"{text} order {draw.randrange(10**9)}",
                "channel": draw.choice(["mail", "chat", "phone"]),
                "age_days": round(draw.gauss(6 if urgent else 3, 3), 3),
                "label": int(shown),
            }
        )
    return table


def shapes(seed, rows):
    """Three classes by name, from four numbers."""
    draw = random.Random(seed)
    centres = {"circle": (0, 0, 0, 1), "square": (2, 0, 1, 0), "triangle": (0, 2, 1, 1)}
    table = []
    for _ in range(rows):
        kind = draw.choice(list(centres))
        values = [round(draw.gauss(centre, 1.2), 4) for centre in centres[kind]]
        table.append(dict(zip("abcd", values, strict=True)) | {"kind": kind})
    return table


def houses(seed, rows):
    """A price, from an area, an age and a quarter."""
    draw = random.Random(seed)
    table = []
    for _ in range(rows):
        area, age = draw.uniform(30, 200), draw.uniform(0, 80)
        quarter = draw.choice(["north", "south"])
        price = 900 * area - 700 * age + (30_000 if quarter == "south" else 0) + draw.gauss(0, 20_000)
        table.append(
            {"area": round(area, 2), "age": round(age, 1), "quarter": quarter, "price": round(price, 2)}
        )
    return table


def write_csv(path, rows, **how):
    """Write `rows` to `path`; the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding=how.get("encoding", "utf-8")) as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
