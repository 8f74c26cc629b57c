"""The sample blog: 46 invented articles as the saved pages of a Shopify theme, under the project's licence.

It lets the first run show something real without a download. To use a blog of your own instead, run
`referral index YOUR_FOLDER --store store`.
"""

from pathlib import Path

FOLDER = Path(__file__).parent

# The host in the pages' canonical links. It exists nowhere: the running server shows the pages itself.
HOST = "sample-blog.example"

# The questions that its passages answer, in visitors' words, for `index.bridge`. They stand beside the folder
# and not in it, so that they are not read as articles.
QUESTIONS = FOLDER.with_name("sample_questions.jsonl")
