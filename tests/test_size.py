"""How much there is to read, in tokens: room for a feature is made by taking away."""

from sizes import NOTEBOOKS, definitions, library_tokens, notebook_tokens, tokens

# What the library has reached, without the wardrobe, a package of its own. The goal is
# 100,000; lower this with every cut. It was 124,000 before a run's costs, budgets and
# preflight (book.costs, book.preflight: 2,300), words searched without torch (1,000),
# the graph kernels of FREEDOM and BM3 (500) and what chapters remember (400); and
# 129,200 before captions, tables and pictures were read as people bring them (7,200),
# outputs were guarded and every ending was one line (4,100), and searches by picture
# without torch (900), replies' wrappings (1,100) and parameters' types (450). Then the
# papers' own methods came beside ours: Ducho's VBPR, MMRec's settings, a content-based
# neighbourhood (1,200), retrieval by a captioner and verdicts of several seeds (600).
# Then what others' files are asked (`fashionlib audit`, 6,400), a ledger of every claim
# by rule (1,900), and what captions shouldn't say, counted (800). Then each chapter's
# Answer, a function of its result (3,600), a book from an archive (700), its
# numbers in one table (200), student notebooks (500), and recommenders that a run
# cut short takes up again (400). Then what a stranger's catalogue is asked
# (`fashionlib try`, 6,200), and chapters that run alone, on Colab too (1,000).
LIBRARY = 167_900
# Of all notebooks together: 40,000 before the experiments in 03, 14 and 16, and 43,600
# before Table 5 in full (13 to 15), sizes and lengths (08), FACAD's questions (08), and
# 48,700 before all that is kept of the real sample stood in every chapter.
CELLS = 50_700
EXERCISES = 4_100  # their solutions and checks: two short cells a chapter
DEFINITIONS = 25  # in all notebooks: only where the definition is the chapter's lesson


def test_the_library_stays_within_its_size():
    rooms = library_tokens()
    assert sum(rooms.values()) <= LIBRARY, rooms


def test_the_notebooks_stay_within_their_size():
    counts = {path.stem: notebook_tokens(path) for path in NOTEBOOKS}
    assert sum(counts.values()) <= CELLS, counts


def test_the_exercises_stay_within_their_size():
    counts = {path.stem: notebook_tokens(path, exercises=True) for path in NOTEBOOKS}
    assert sum(counts.values()) <= EXERCISES, counts


def test_a_notebook_defines_a_function_only_where_it_is_the_lesson():
    counts = {path.stem: definitions(path) for path in NOTEBOOKS}
    assert sum(counts.values()) <= DEFINITIONS, counts


def test_layout_and_comments_are_no_size():
    assert tokens("a = f(1, 'two')  # a comment\n") == 8
    assert tokens("a = f(\n    1,\n    'two',\n)\n") == 9  # one comma more
    assert tokens("a = f'{b + c} {d:>{e}}'\n") == 3  # a formatted text is one token
