"""Captions in a tailor's words, as a shop writes them: one per product, silent about colour.

What a picture shows (sleeves, neckline, fastening, pockets, hem, pattern) is said truly and in several ways; fibres,
linings and other things that no picture shows are added, as H&M does.
"""

from __future__ import annotations

import numpy as np

from fashionlib.wardrobe.catalogue import NONE, Product

NOUNS = {
    "T-shirt": ["T-shirt", "top"], "Vest top": ["vest top", "top"], "Shirt": ["shirt"],
    "Polo shirt": ["polo shirt"], "Sweater": ["jumper", "sweater"], "Hoodie": ["hoodie", "hooded top"],
    "Dress": ["dress"], "Skirt": ["skirt"], "Trousers": ["trousers"], "Shorts": ["shorts"], "Jacket": ["jacket"],
    "Blazer": ["blazer", "jacket"], "Coat": ["coat"], "Bag": ["bag"], "Hat/beanie": ["hat", "beanie"],
    "Cap/peaked": ["cap"], "Socks": ["socks"], "Boots": ["boots"], "Sneakers": ["trainers"], "Scarf": ["scarf"],
    "Umbrella": ["umbrella"],
}  # fmt: skip
JERSEY = ["cotton jersey", "soft jersey", "organic cotton jersey", "stretch jersey", "slub jersey"]
WEAVES = ["a cotton weave", "an airy viscose weave", "woven fabric", "a linen and cotton blend", "crêpe"]
KNITS = ["a soft knit", "a fine-knit cotton blend", "a rib knit", "a knit containing some wool"]
SHELLS = ["woven fabric", "nylon", "sturdy cotton twill", "washed denim"]
SUITING = ["a woven fabric", "a stretch weave", "a wool blend", "twill"]
LEATHERS = ["imitation leather", "imitation suede", "cotton canvas"]
CLOTHS = {
    "T-shirt": JERSEY, "Vest top": JERSEY, "Shirt": WEAVES, "Polo shirt": ["cotton piqué"], "Sweater": KNITS,
    "Hoodie": ["sweatshirt fabric", "soft sweatshirt fabric", "organic cotton sweatshirt fabric"],
    "Dress": WEAVES + JERSEY,
    "Skirt": WEAVES, "Trousers": ["woven fabric", "cotton twill", "stretch jersey", "a linen blend"],
    "Shorts": ["cotton twill", "sweatshirt fabric", "woven fabric"], "Jacket": SHELLS,
    "Blazer": SUITING, "Coat": SUITING, "Bag": LEATHERS, "Hat/beanie": KNITS,
    "Cap/peaked": ["cotton twill", "cotton canvas"],
    "Socks": ["a fine-knit cotton blend", "a soft, jacquard-knit cotton blend"], "Boots": LEATHERS[:2],
    "Sneakers": LEATHERS, "Scarf": ["soft, woven fabric", "a soft knit", "an airy weave"], "Umbrella": ["nylon"],
}  # fmt: skip
# Said before the cloth ("striped cotton jersey") or after it ("cotton jersey with a stripe print").
BEFORE = {"stripe": ["striped"], "dot": ["dotted", "spotted"], "check": ["checked"],
          "flower": ["floral", "flower-patterned"],
          "animal": ["leopard-print", "animal-patterned"], "camouflage": ["camouflage-patterned"],
          "melange": ["melange", "marled"], "block": ["block-patterned"]}  # fmt: skip
AFTER = {"stripe": "with stripes", "dot": "with a dotted print", "check": "in a checked pattern",
         "flower": "with a floral print", "animal": "with an animal print", "camouflage": "with a camouflage print",
         "melange": "in a melange finish", "block": "with a block in a contrasting colour"}  # fmt: skip
NECKS = {"round": ["a round neckline", "a round neck"], "v-neck": ["a V-neck"], "square": ["a square neckline"],
         "turtle": ["a polo neck", "a turtle neck"], "collar": ["a collar", "a turn-down collar"],
         "hood": ["a hood", "a lined hood"], "lapels": ["notch lapels", "a collar and notch lapels"]}  # fmt: skip
CLOSURES = {"buttons": ["buttons down the front", "a button-through front"], "half buttons": ["a button placket"],
            "double-breasted": ["a double-breasted front with buttons"], "zip": ["a zip down the front"],
            "tie belt": ["a tie belt at the waist", "a detachable tie belt"], "zip fly": ["a zip fly with a button"],
            "drawstring": ["an elasticated drawstring waist", "an elasticated waist with a drawstring"],
            "lacing": ["lacing at the front"], "pompom": ["a pompom on top"]}  # fmt: skip
PLACED = {("Bag", "zip"): "a zip at the top", ("Boots", "zip"): "a zip in one side",
          ("Jacket", "turtle"): "a stand-up collar",
          ("Boots", NONE): "elastic panels in the sides", ("Skirt", "tie belt"): "a tie at the waist"}  # fmt: skip
POCKETS = {"chest pocket": ["a chest pocket", "an open chest pocket"], "kangaroo pocket": ["a kangaroo pocket"],
           "patch pockets": ["patch pockets", "patch front pockets"], "side pockets": ["side pockets"],
           "leg pockets": ["leg pockets", "patch leg pockets"], "outer pocket": ["an outer pocket"]}  # fmt: skip
HEMS = {"ribbed": ["Ribbing at the cuffs and hem.", "Ribbed cuffs and hem."],
        "rounded": ["Rounded hem.", "Gently rounded hem."],
        "flared": ["Gently flared hem.", "Flared hem."], "straight": ["Straight-cut hem.", ""],
        "frill": ["Frill trim at the hem.", "Wide frill at the hem."],
        "pleated": ["Pleats all round.", "Pleated all round."],
        "fringed": ["Fringes on the short sides.", "Fringed at both ends."]}  # fmt: skip
FITS = {"fitted": ["Slim fit.", "Fitted shape."], "regular": ["Regular fit.", "", ""],
        "wide": ["Relaxed fit.", "Wide, relaxed style."]}  # fmt: skip
UNSEEN = {
    "upper": ["", "", "Unlined.", "Soft brushed inside.", "Made partly from recycled polyester.",
              "The cotton is organic."],
    "lined": ["Lined.", "Partly lined.", "Unlined.", "Lining in recycled polyester.", "Inner pocket with a button."],
    "lower": ["Concealed zip in one side.", "Lined.", "Unlined.", "", "The cotton content is partly recycled."],
    "shoe": ["Cotton canvas linings.", "Imitation leather insoles and rubber soles.", "Patterned soles."],
    "bag": ["Zipped inner compartment. Lined.", "Lined. Size 12x25x30 cm.", "One inner compartment.", "Length 30 cm."],
    "small": ["", "", "Made partly from recycled fibres.", "Recycled polyester makes up part of it."],
}
LINED = ("Dress", "Jacket", "Blazer", "Coat")


def caption(product: Product, rng: np.random.Generator) -> str:
    """The product's text: an opening sentence and up to three short ones, about 20 words."""
    cloth, noun = _cloth(product, rng), _pick(rng, NOUNS[product.type])
    before, features = _features(product, rng)
    opening = ", ".join([*before[:-1], before[-1] + f" {noun}"]) if before else noun
    text = f"{opening} in {cloth}"
    if features:
        text += " with " + _list(features)
    ends = [_pick(rng, _hems(product)), _fit(product, rng), _pick(rng, UNSEEN[_family(product)])]
    text = text[0].upper() + text[1:] + "."
    return " ".join([text, *(end for end in ends if end)])


def _features(product: Product, rng: np.random.Generator) -> tuple[list[str], list[str]]:
    """Words before the noun and phrases after "with"; a sleeve may stand on either side."""
    before = [_length(product, rng)] if _length(product, rng) else []
    after: list[str] = []
    if product.neckline != NONE:
        after.append(PLACED.get((product.type, product.neckline)) or _pick(rng, NECKS[product.neckline]))
    if product.sleeve == "sleeveless":
        before.append("sleeveless")
    elif product.sleeve != NONE and rng.random() < 0.35:
        before.append(f"{product.sleeve}-sleeved")
    elif product.sleeve != NONE:
        after.append(f"{product.sleeve} sleeves")
    placed = PLACED.get((product.type, product.closure))
    if placed or product.closure != NONE:
        after.append(placed or _pick(rng, CLOSURES[product.closure]))
    if product.pocket != NONE:
        after.append(_pick(rng, POCKETS[product.pocket]))
    if product.type == "Bag":
        after.append("a flap and a long shoulder strap" if product.length == "long" else "two handles")
    elif product.type == "Hat/beanie":
        after.append(_pick(rng, ["a wide, turned-up hem", "a ribbed, turned-up edge"]))
    elif product.type == "Cap/peaked":
        after.append(_pick(rng, ["a curved peak", "a peak and an adjustable tab at the back"]))
    elif product.type == "Umbrella":
        after.append("a curved handle and an automatic opener")
    elif product.type == "Sneakers":
        after.append("a padded edge")
    if rng.random() < 0.3:
        after.reverse()
    return before, after


def _length(product: Product, rng: np.random.Generator) -> str:
    if product.type in ("Bag", "Sneakers"):
        return "high-top" if product.length == "ankle-length" else ""
    if product.length in (NONE, "regular"):
        return ""
    if product.type == "Trousers" and product.length == "long":
        return ""
    if product.length == "cropped":
        return _pick(rng, ["cropped", "short"])
    if product.type in ("Boots", "Socks") and product.length == "knee-length":
        return _pick(rng, ["knee-length", "knee-high"])
    return product.length


def _cloth(product: Product, rng: np.random.Generator) -> str:
    cloth = _pick(rng, CLOTHS[product.type])
    if product.pattern == "solid":
        return cloth
    if rng.random() < 0.4:
        return f"{cloth} {AFTER[product.pattern]}"
    word = _pick(rng, BEFORE[product.pattern])
    article, _, rest = cloth.partition(" ")
    if article in ("a", "an"):
        return f"{'an' if word[0] in 'aeiou' else 'a'} {word} {rest}"
    return f"{word} {cloth}" if article.endswith(",") or rng.random() < 0.5 else f"{word}, {cloth}".replace(",,", ",")


def _hems(product: Product) -> list[str]:
    if product.type == "Trousers" and product.hem == "ribbed":
        return ["Ribbed hems.", "Ribbing at the hems."]
    return HEMS.get(product.hem, [""])


def _family(product: Product) -> str:
    if product.type in LINED:
        return "lined"
    if product.type in ("Boots", "Sneakers"):
        return "shoe"
    if product.type in ("Skirt", "Trousers", "Shorts"):
        return "lower"
    return "bag" if product.type == "Bag" else "upper" if product.neckline != NONE else "small"


def _fit(product: Product, rng: np.random.Generator) -> str:
    if product.type == "Boots":
        return "Heel 7 cm." if product.fit == "fitted" else ""
    return _pick(rng, FITS[product.fit]) if _family(product) in ("upper", "lower", "lined") else ""


def _list(phrases: list[str]) -> str:
    return phrases[0] if len(phrases) == 1 else ", ".join(phrases[:-1]) + " and " + phrases[-1]


def _pick(rng: np.random.Generator, choices: list[str]) -> str:
    return choices[int(rng.integers(len(choices)))]
