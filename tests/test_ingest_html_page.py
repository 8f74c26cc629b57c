"""Saved pages of many themes: the author's words and nothing else, in order, as published."""
# ruff: noqa: E501 - the pages keep their long lines

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.article import Article
from ingest.characters import words
from ingest.html_page import read_html
from ingest.problem import UnreadableError

DISCLAIMER = (
    "The information on this blog is for educational purposes only and is not a substitute for professional "
    "medical advice, diagnosis or treatment. Always consult your physician before you begin."
)
BODY = """
<p>The soleus lies below the gastrocnemius and works whenever you stand.</p>
<h2>Where it hurts</h2>
<p>Its trigger points send pain to the <strong>heel</strong>, and sometimes to the&nbsp;sacroiliac joint.</p>
<ul><li>Worse on stairs</li><li>Worse in the morning</li></ul>
<p>Do not perform these techniques unless they fall within your professional scope of practice.</p>
<p>See your doctor if the pain is severe.</p>
"""
TEXT = """The soleus lies below the gastrocnemius and works whenever you stand.

## Where it hurts

Its trigger points send pain to the heel, and sometimes to the sacroiliac joint.

- Worse on stairs
- Worse in the morning

Do not perform these techniques unless they fall within your professional scope of practice.

See your doctor if the pain is severe."""
TITLE = "The Soleus - A Second Heart"

# Timber and its heirs (Brooklyn, Minimal, Pop): itemprop, a byline in words, bare lists of comments.
OLD_SHOPIFY = f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<title>{TITLE} &ndash; Knotwork Shop</title>
<link rel="canonical" href="https://knotwork.example/blogs/muscles/the-soleus?utm_source=mail&variant=1">
<meta property="og:site_name" content="Knotwork Shop"><meta property="og:title" content="{TITLE}">
<meta property="og:type" content="article"><script>var shop = "x < y";</script>
</head><body id="the-soleus" class="template-article">
<div id="CartDrawer" class="drawer drawer--right"><h3>Shopping Cart</h3><p>Your cart is empty</p></div>
<div class="announcement">Free shipping on orders over $50</div>
<header class="site-header"><ul class="site-nav"><li><a href="/">Home</a></li><li><a href="/blogs">Blog</a></li></ul>
<a href="/cart">Cart <span id="CartCount">0</span></a></header>
<main class="main-content" role="main"><div class="grid"><article class="grid__item" itemscope itemtype="http://schema.org/Article">
<header class="section-header"><h1 class="section-header__title" itemprop="name">{TITLE}</h1>
<p>Posted by <span itemprop="author">Rosa Field</span> on
<time pubdate datetime="2014-03-03">March 03, 2014</time></p></header>
<div class="rte" itemprop="articleBody">{BODY}<p><em>{DISCLAIMER}</em></p></div>
<div class="article__tags">Tags: <a href="/blogs/muscles/tagged/calf">calf</a>, <a href="/blogs/muscles/tagged/heel">heel</a></div>
<div class="social-sharing"><span>Share this post</span><a class="share-facebook">Share</a><a>Tweet</a><a>Pin it</a></div>
<p class="clearfix"><span class="left">&larr; <a href="/a">Older Post</a></span><span class="right"><a href="/b">Newer Post</a> &rarr;</span></p>
<div id="comments"><h3>2 comments</h3><ul class="no-bullets">
<li id="comment-11" class="comment"><div class="comment-content rte"><p>My heel ached for a year.<br>Thank you for this!</p></div>
<span class="comment__meta"><span>Bob Reader</span> on <time datetime="2014-05-06">May 6, 2014</time></span></li>
<li id="comment-12" class="comment"><div class="comment-content rte"><p>Does this help runners?</p><p>Jill</p></div>
<span class="comment__meta"><span class="comment-author">Jill Jogger</span> on June 7, 2015</span></li></ul>
<form class="comment-form"><h3>Leave a comment</h3><label>Name</label><input><p>Please note, comments must be approved before they are published</p></form></div>
</article></div></main>
<div class="product-card"><a href="/products/roller">Foam roller</a> $29.00 Sold Out</div>
<footer class="site-footer"><h4>Newsletter</h4><p>Be the first to know</p><p>&copy; 2014 Knotwork Shop</p></footer>
</body></html>"""

# Dawn and other themes of "Online Store 2.0": JSON-LD, sections, comments that are <article>s.
NEW_SHOPIFY = f"""<!doctype html><html class="no-js" lang="en-GB"><head><meta charset="utf-8">
<title>{TITLE} | Knotwork Shop</title><link rel="canonical" href="https://www.knotwork.example/blogs/muscles/the-soleus">
<meta property="og:site_name" content="Knotwork Shop"><meta property="og:title" content="{TITLE} | Knotwork Shop">
<script type="application/ld+json">{{"@context":"https://schema.org","@type":"Organization","name":"Knotwork Shop"}}</script>
<script type="application/ld+json">{{"@context":"http://schema.org","@type":"BlogPosting",
"mainEntityOfPage":"https://www.knotwork.example/blogs/muscles/the-soleus","headline":"{TITLE}","keywords":"calf, heel",
"datePublished":"2022-01-05T10:00:00Z","dateModified":"2022-02-01T09:30:00Z","author":{{"@type":"Person","name":"Rosa Field"}}}}</script>
</head><body class="gradient"><a class="skip-to-content-link visually-hidden" href="#m">Skip to content</a>
<cart-drawer class="drawer"><h2>Your cart is empty</h2><a>Continue shopping</a></cart-drawer>
<div id="shopify-section-announcement-bar"><p>Sale ends today</p></div>
<header class="header"><details><summary>Menu</summary><ul><li><a href="/">Home</a></li></ul></details></header>
<main id="MainContent" role="main"><section id="shopify-section-template--1__main" class="section">
<article class="article-template"><div class="article-template__hero-container"><img alt="A calf"></div>
<header class="page-width page-width--narrow"><h1 class="article-template__title">{TITLE}</h1>
<span class="circle-divider caption-with-letter-spacing"><time datetime="2022-01-05T10:00:00Z">5 January 2022</time></span>
<span class="caption-with-letter-spacing"><span>Rosa Field</span></span></header>
<div class="article-template__social-sharing"><share-button><button>Share</button></share-button></div>
<div class="article-template__content page-width page-width--narrow rte">{BODY}
<div class="promo-block"><h3>Online course</h3><p>Enrol today and save 20%.</p></div></div>
<div class="article-template__back"><a href="/blogs/muscles">Back to blog</a></div>
<div class="article-template__comment-wrapper"><div id="comments"><h2>1 comment</h2><div class="article-template__comments">
<article id="77" class="article-template__comments-comment"><p>It eased after two weeks of calf raises.</p>
<footer class="right"><span class="circle-divider">Ann Other</span><span><time datetime="2022-03-01T08:00:00Z">1 March 2022</time></span></footer></article>
</div><form class="comment-form"><h2>Leave a comment</h2></form></div></div></article></section>
<section class="related-blogs"><h2>Related articles</h2><ul><li><a href="/x"><h3>Shin splints</h3></a><p>Runners know them well.</p></li></ul></section>
</main><footer class="footer"><p>{DISCLAIMER}</p><ul><li>American Express</li><li>Visa</li></ul><small>© 2022, Knotwork Shop</small></footer></body></html>"""

WORDPRESS = f"""<!doctype html><html lang="en-US"><head><meta charset="utf-8"><title>{TITLE} - Field Notes</title>
<link rel="canonical" href="https://field.example/2019/11/the-soleus/"><meta property="article:published_time" content="2019-11-04T07:00:00+00:00">
<meta property="article:modified_time" content="2020-01-02T07:00:00+00:00"></head>
<body class="post-template-default single single-post postid-9">
<header id="masthead" class="site-header"><p class="site-title">Field Notes</p><nav><ul><li>Home</li></ul></nav></header>
<div id="primary"><main id="main"><article id="post-9" class="post-9 post type-post category-legs tag-calf">
<header class="entry-header"><h1 class="entry-title">{TITLE}</h1><div class="entry-meta"><span class="byline">by
<span class="author vcard"><a class="url fn n" rel="author" href="/author/rosa">Rosa Field</a></span></span></div></header>
<div class="entry-content">{BODY}<div class="sharedaddy"><h3 class="sd-title">Share this:</h3><ul><li>Twitter</li></ul></div>
<div id="jp-relatedposts" class="jp-relatedposts"><h3>Related</h3></div></div>
<footer class="entry-footer"><span class="tags-links"><a href="/tag/calf" rel="tag">calf</a> <a href="/tag/heel" rel="tag">heel</a></span></footer></article>
<nav class="post-navigation"><a rel="prev">Previous: Feet</a></nav>
<div id="comments" class="comments-area"><h2 class="comments-title">2 thoughts on &ldquo;{TITLE}&rdquo;</h2><ol class="comment-list">
<li id="comment-3" class="comment even depth-1 parent"><article id="div-comment-3" class="comment-body"><footer class="comment-meta">
<div class="comment-author vcard"><b class="fn">Pat</b> <span class="says">says:</span></div><time datetime="2019-12-01T10:00:00+00:00">December 1</time></footer>
<div class="comment-content"><p>How long should I hold it?</p></div><div class="reply"><a>Reply</a></div></article>
<ol class="children"><li id="comment-4" class="comment depth-2"><article class="comment-body"><footer class="comment-meta"><b class="fn">Rosa Field</b></footer>
<div class="comment-content"><p>Thirty seconds is plenty.</p></div></article></li></ol></li></ol>
<div id="respond" class="comment-respond"><h3>Leave a Reply</h3><form><p>Your email address will not be published.</p></form></div></div>
</main></div><aside id="secondary" class="widget-area"><section class="widget"><h2>Recent Posts</h2><ul><li><a href="/y">Feet</a></li></ul></section></aside>
<footer id="colophon" class="site-footer">Proudly powered by WordPress</footer></body></html>"""

GHOST = f"""<!doctype html><html lang="en"><head><title>{TITLE}</title><meta property="og:url" content="https://ghost.example/the-soleus/">
<meta property="og:type" content="article"><meta property="article:published_time" content="2021-06-01T00:00:00.000Z"><meta property="article:tag" content="calf"><meta property="article:tag" content="heel">
</head><body class="post-template tag-calf"><div class="viewport"><header id="gh-head">Knots <a>Sign in</a><button>Subscribe</button></header>
<main id="site-main"><article class="gh-article post tag-calf"><header class="gh-article-header"><h1 class="gh-article-title">{TITLE}</h1>
<div class="gh-article-meta"><h4 class="gh-article-author-name"><a href="/author/rosa/">Rosa Field</a></h4><time datetime="2021-06-01">Jun 1, 2021</time><span>3 min read</span></div></header>
<section class="gh-content gh-canvas">{BODY}</section></article></main>
<section class="footer-cta"><h2>Sign up for more like this.</h2></section><aside class="read-more-wrap"><h3>Read more</h3></aside></div></body></html>"""

BLOGGER = f"""<html><head><title>Field Notes: {TITLE}</title><link href="http://notes.example/2012/05/soleus.html" rel="canonical"></head><body>
<div class="header-inner">Field Notes</div><div id="main"><div class="date-outer"><h2 class="date-header"><span>Tuesday, May 8, 2012</span></h2>
<div class="post hentry"><h3 class="post-title entry-title">{TITLE}</h3><div class="post-body entry-content">{BODY.replace("<p>", "").replace("</p>", "<br><br>")}</div>
<div class="post-footer"><span class="post-author vcard">Posted by <span class="fn">Rosa Field</span></span> at <abbr class="published" title="2012-05-08T09:12:00-07:00">9:12 AM</abbr>
<span class="post-labels">Labels: <a rel="tag">calf</a>, <a rel="tag">heel</a></span></div></div></div>
<div id="comments"><h4>1 comment:</h4><dl id="comments-block"><dt class="comment-author">Lee said...</dt><dd class="comment-body"><p>Great read.</p></dd></dl></div></div>
<div class="sidebar"><h2>About Me</h2><p>I treat legs.</p></div></body></html>"""

HAND_MADE = f"""<html><head><title>{TITLE}</title></head><body bgcolor="#ffffff">
<table width="100%"><tr><td width="150"><a href="index.html">Home</a><br><a href="links.html">Links</a><br><a href="contact.html">Contact</a></td>
<td><h1>{TITLE}</h1><font face="Arial">by Rosa Field, 3 Mar 2004<br><br>
{BODY.replace("<p>", "").replace("</p>", "<br><br>").replace("<h2>", "<b>").replace("</h2>", "</b><br>")}
</font></td></tr><tr><td colspan="2"><hr><small>Copyright 2004 Rosa Field. All rights reserved.</small></td></tr></table></body></html>"""

PAGES = {
    "old Shopify": OLD_SHOPIFY,
    "new Shopify": NEW_SHOPIFY,
    "WordPress": WORDPRESS,
    "Ghost": GHOST,
    "Blogger": BLOGGER,
    "hand-made": HAND_MADE,
}


def read(page: str) -> Article:
    return read_html(page, fallback_id="folder/page")


def body_page(body: str) -> str:
    return f"<html><head><title>A title</title></head><body><article><h1>A title</h1><div class='entry-content'>{body}</div></article></body></html>"


def text_of(body: str) -> str:
    return (
        read(body_page(body + "<p>One more closing sentence for this small page.</p>"))
        .text.removesuffix("One more closing sentence for this small page.")
        .rstrip()
    )


@pytest.mark.parametrize("theme", PAGES)
def test_the_body_is_the_authors_words_and_nothing_else(theme: str) -> None:
    assert read(PAGES[theme]).text == TEXT


@pytest.mark.parametrize("theme", PAGES)
def test_title_and_author(theme: str) -> None:
    article = read(PAGES[theme])
    assert (article.title, article.author) == (TITLE, "Rosa Field")


@pytest.mark.parametrize(
    ("theme", "published", "updated"),
    [
        ("old Shopify", "2014-03-03", None),
        ("new Shopify", "2022-01-05T10:00:00+00:00", "2022-02-01T09:30:00+00:00"),
        ("WordPress", "2019-11-04T07:00:00+00:00", "2020-01-02T07:00:00+00:00"),
        ("Ghost", "2021-06-01T00:00:00+00:00", None),
        ("Blogger", "2012-05-08T09:12:00-07:00", None),
        ("hand-made", "2004-03-03", None),
    ],
)
def test_dates(theme: str, published: str, updated: str | None) -> None:
    article = read(PAGES[theme])
    assert (article.published, article.updated) == (published, updated)


@pytest.mark.parametrize(
    ("theme", "article_id"),
    [
        ("old Shopify", "/blogs/muscles/the-soleus"),
        ("new Shopify", "/blogs/muscles/the-soleus"),
        ("WordPress", "/2019/11/the-soleus/"),
        ("Ghost", "/the-soleus/"),
        ("hand-made", "folder/page"),
    ],
)
def test_the_id_is_the_path_of_the_address(theme: str, article_id: str) -> None:
    assert read(PAGES[theme]).id == article_id


def test_tracking_is_no_part_of_an_address() -> None:
    assert read(OLD_SHOPIFY).url == "https://knotwork.example/blogs/muscles/the-soleus?variant=1"


@pytest.mark.parametrize("theme", ["old Shopify", "new Shopify", "WordPress", "Ghost", "Blogger"])
def test_tags(theme: str) -> None:
    assert read(PAGES[theme]).tags == ("calf", "heel")


@pytest.mark.parametrize("theme", ["old Shopify", "new Shopify"])
def test_the_disclaimer_is_a_field_of_its_own(theme: str) -> None:
    assert read(PAGES[theme]).disclaimer == DISCLAIMER


@pytest.mark.parametrize(
    ("theme", "comments"),
    [
        (
            "old Shopify",
            [
                ("My heel ached for a year.\nThank you for this!", "2014-05-06"),
                ("Does this help runners?", "2015-06-07"),
            ],
        ),
        ("new Shopify", [("It eased after two weeks of calf raises.", "2022-03-01T08:00:00+00:00")]),
        (
            "WordPress",
            [
                ("How long should I hold it?", "2019-12-01T10:00:00+00:00"),
                ("Thirty seconds is plenty.", None),
            ],
        ),
        ("Blogger", [("Great read.", None)]),
    ],
)
def test_comments_are_apart_and_without_names(theme: str, comments: list[tuple[str, str | None]]) -> None:
    assert [(comment.text, comment.published) for comment in read(PAGES[theme]).comments] == comments


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<p>One two</p><p>three.</p>", "One two\n\nthree."),
        ("<div>Loose words <p>A paragraph.</p> and a tail.</div>", "Loose words\n\nA paragraph.\n\nand a tail."),
        ("<p>Press<b>ure</b> and <i>time</i>.</p>", "Pressure and time."),
        ("<p>Line one.<br>Line two.</p>", "Line one.\nLine two."),
        ("<p>A sentence that runs on and on<br>until it ends.</p>", "A sentence that runs on and on until it ends."), ("<p>tennis<br>golf<br>squash</p>", "tennis\ngolf\nsquash"),
        ("<p>First part.<br><br>Second part.</p>", "First part.\n\nSecond part."),
        ("<h2>Deep</h2><p>x.</p><h3>Deeper</h3><p>y.</p><h4>Deepest</h4><p>z.</p>", "## Deep\n\nx.\n\n### Deeper\n\ny.\n\n#### Deepest\n\nz."),
        ("<ol><li>Stand.</li><li>Bend.<ul><li>Slowly</li></ul></li></ol>", "1. Stand.\n2. Bend.\n  - Slowly"),
        ("<ol start='4'><li>Four</li><li value='7'>Seven</li><li>Eight</li></ol>", "4. Four\n7. Seven\n8. Eight"),
        ("<ol reversed><li>b</li><li>a</li></ol>", "2. b\n1. a"),
        ("<ul><li><p>One.</p><p>Still one.</p></li><li>Two.</li></ul>", "- One.\n  Still one.\n- Two."),
        ("<p>Causes:<br>• sitting<br>• running</p>", "Causes:\n• sitting\n• running"),
        ("<p>• sitting<br>• running</p>", "- sitting\n- running"),
        ("<table><tr><th>Muscle</th><th>Nerve</th></tr><tr><td>Psoas</td><td>L1 to L3</td></tr></table>", "Muscle | Nerve\nPsoas | L1 to L3"),
        ("<table><tr><td><h2>Old page</h2><p>Laid out.</p><p>In a table.</p><p>Of one cell.</p></td></tr></table>", "## Old page\n\nLaid out.\n\nIn a table.\n\nOf one cell."),
        ("<dl><dt>Origin</dt><dd>The iliac fossa.</dd></dl>", "## Origin\n\nThe iliac fossa."),
        ("<blockquote><p>Pain is a poor map.</p><footer>An old saying.</footer></blockquote>", "Pain is a poor map.\n\nAn old saying."),
        ("<figure><img src=x alt='no'><figcaption>The soleus from behind.</figcaption></figure>", "The soleus from behind."),
        ("<p><strong>ORIGIN</strong></p><p>The tibia.</p>", "## ORIGIN\n\nThe tibia."),
        ("<p>CAUSES</p><ul><li>Heels</li><li>Hills</li></ul>", "## CAUSES\n\n- Heels\n- Hills"),
        ("<p><b>Origin</b><br>The tibia and the fibula.</p>", "## Origin\n\nThe tibia and the fibula."),
        ("<h2>Anatomy</h2><p><b>Origin</b></p><p>The tibia.</p>", "## Anatomy\n\n### Origin\n\nThe tibia."),
        ("<p><b>Stop at once if it hurts.</b></p>", "Stop at once if it hurts."),
        ("<p><b>Origin:</b> the tibia.</p>", "Origin: the tibia."),
        ("<p>“Curly” it’s 30° – naïve café</p><p>x.</p>", "“Curly” it’s 30° – naïve café\n\nx."),
        ("<p>cafe\u0301 muscle\u00adfibre zero\u200bwidth.</p>", "café musclefibre zerowidth."),
        ("<p>5 &lt; 6 &amp; 7 &gt; 6.</p>", "5 < 6 & 7 > 6."),
        ("<pre>a line.\nanother line.</pre>", "a line.\nanother line."),
        ("<p>Same words three times here.</p><p>Middle.</p><p>Same words three times here.</p>", "Same words three times here.\n\nMiddle."),
        ("<blockquote>the calf is a second heart</blockquote><p>Some say the calf is a second heart, and so it is.</p>", "Some say the calf is a second heart, and so it is."),
        ("<details><summary>How long?</summary><p>Thirty seconds.</p></details>", "### How long?\n\nThirty seconds."),
        ("<h1>A title</h1><p>Body.</p>", "Body."),
        ("<custom-box><p>Inside.</p></custom-box><p>Outside.</p>", "Inside.\n\nOutside."),
        ("<a href=x><div>Linked block.</div></a><p>After.</p>", "Linked block.\n\nAfter."),
    ],
)  # fmt: skip
def test_blocks(body: str, text: str) -> None:
    assert text_of(body) == text


@pytest.mark.parametrize(
    "hidden",
    [
        "<p style='display:none'>HIDDEN</p>",
        "<p style='display : NONE !important'>HIDDEN</p>",
        "<span style='visibility:hidden'>HIDDEN</span>",
        "<span style='font-size:0'>HIDDEN</span>",
        "<span style='font-size: 0px; color: red'>HIDDEN</span>",
        "<span style='opacity:0'>HIDDEN</span>",
        "<div style='position:absolute;left:-9999px'>HIDDEN</div>",
        "<div style='text-indent:-999em'>HIDDEN</div>",
        "<div style='height:0;overflow:hidden'>HIDDEN</div>",
        "<div style='color:#fff;background:#ffffff'>HIDDEN</div>",
        "<div hidden>HIDDEN</div>",
        "<div aria-hidden='true'>HIDDEN</div>",
        "<span class='visually-hidden'>HIDDEN</span>",
        "<span class='sr-only'>HIDDEN</span>",
        "<span class='screen-reader-text'>HIDDEN</span>",
        "<style>.zz9{display:none}</style><p class='zz9'>HIDDEN</p>",
        "<!-- HIDDEN -->",
        "<script>var a = 'HIDDEN';</script>",
        "<style>p:after{content:'HIDDEN'}</style>",
        "<template><p>HIDDEN</p></template>",
        "<noscript>HIDDEN</noscript>",
        "<textarea>HIDDEN</textarea><button>HIDDEN</button><select><option>HIDDEN</option></select>",
        "<svg><title>HIDDEN</title><text>HIDDEN</text></svg>",
        "<iframe>HIDDEN</iframe><video>HIDDEN</video><object>HIDDEN</object>",
        "<img alt='HIDDEN' title='HIDDEN'>",
    ],
)
def test_what_nobody_sees_is_not_text(hidden: str) -> None:
    assert text_of(f"<p>Before.</p>{hidden}<p>After.</p>") == "Before.\n\nAfter."
    assert "HIDDEN" not in text_of(f"<p>Before {hidden} and after.</p>")


@pytest.mark.parametrize(
    "shown",
    [
        "<div class='hidden md:block'>Seen on wide screens.</div>",
        "<div style='opacity:0.9'>Seen on wide screens.</div>",
        "<div style='font-size:10px'>Seen on wide screens.</div>",
        "<div style='color:#fff;background:#000'>Seen on wide screens.</div>",
        "<style>@media print{.seen{display:none}}</style><div class='seen'>Seen on wide screens.</div>",
    ],
)
def test_what_is_seen_stays(shown: str) -> None:
    assert text_of(f"<p>Before.</p>{shown}") == "Before.\n\nSeen on wide screens."


@pytest.mark.parametrize(
    "furniture",
    [
        "<div class='share-buttons'><p>Share on Facebook</p></div>",
        "<p>Share this post</p>",
        "<div class='product-card'><h3>Foam Roller</h3><p>$19.00 Sold Out</p></div>",
        "<p>Sold Out</p>",
        "<nav><a>← Older Post</a><a>Newer Post →</a></nav>",
        "<div class='newsletter-signup'><p>Join our list for tips.</p></div>",
        "<div class='author-bio'><p>Rosa has treated calves for years.</p></div>",
        "<p>Sign up for our online course today and save 30%!</p>",
        "<p><a>Click here</a> to enroll in our Certified Trigger Point Therapist course</p>",
        "<div class='video-placeholder'>Play video</div>",
        "<p>Subscribe to our newsletter</p>",
        "<div class='entry-meta'>Posted by Rosa Field on March 3, 2014</div>",
        "<ul class='post-tags'><li>calf</li></ul>",
        "<div class='related-posts'><h3>Related</h3><p>Shins hurt too.</p></div>",
        "<form><label>Email</label><p>Get the guide.</p></form>",
    ],
)
def test_furniture_inside_a_body_goes(furniture: str) -> None:
    assert text_of(f"<p>The calf pumps blood.</p>{furniture}<p>It does so all day.</p>") == (
        "The calf pumps blood.\n\nIt does so all day."
    )


@pytest.mark.parametrize(
    "own",
    [
        "Order matters: stretch after the massage, not before.",
        "Of course the course of the nerve varies.",
        "Share the load between both legs.",
        "Save the deep pressure for last.",
        "Subscribe to no theory of pain too soon.",
        "Related muscles are the plantaris and the popliteus.",
        "Comments by patients often help.",
        "Next, press for 30 seconds.",
        "See your doctor if the calf is hot and swollen.",
        "Get up every hour and walk.",
        "Learn to tell a cramp from a clot.",
    ],
)
def test_sentences_that_sound_like_furniture_stay(own: str) -> None:
    assert text_of(f"<p>The calf pumps blood.</p><p>{own}</p>") == f"The calf pumps blood.\n\n{own}"


@pytest.mark.parametrize(
    "page",
    [
        "<html><body class='template-cart'><h1>Your cart</h1><p>Your cart is empty. Continue shopping to find something nice.</p></body></html>",
        "<html><body><main><h1>Tagged: calf</h1>"
        + "".join(
            f"<article class='card'><h2><a href='/p{n}'>Post number {n}</a></h2><p>A teaser of a few words that ends here.</p><a>Read more</a></article>"
            for n in range(6)
        )
        + "</main></body></html>",
        "<html><head><link rel=canonical href='https://a.example/blogs/muscles/tagged/calf'></head><body><main><p>"
        + "Teaser words stand here. " * 30
        + "</p></main></body></html>",
        "<html><head><meta property='og:type' content='product'></head><body><main><p>"
        + "A fine roller of foam. " * 30
        + "</p></main></body></html>",
        "<html><body></body></html>",
        "<html><head><title>Only a title</title></head><body><nav><a>Home</a></nav></body></html>",
    ],
)
def test_pages_without_an_article(page: str) -> None:
    with pytest.raises(UnreadableError):
        read(page)


WORD = st.text(st.characters(categories=("Ll", "Lu"), max_codepoint=0x24F), min_size=2, max_size=9)
SENTENCE = st.lists(WORD, min_size=3, max_size=12).map(lambda found: " ".join(found).capitalize() + ".")
TAGS = st.sampled_from(
    ["p", "div", "li", "h2", "h3", "blockquote", "td", "section", "dd", "figcaption", "pre"]
)
WRAPPERS = {
    "li": "<ul>{}</ul>",
    "td": "<table><tr>{}</tr></table>",
    "dd": "<dl>{}</dl>",
    "figcaption": "<figure>{}</figure>",
}


def element(tag: str, text: str) -> str:
    return WRAPPERS.get(tag, "{}").format(f"<{tag}>{text}</{tag}>")


@settings(deadline=None)
@given(st.lists(st.tuples(TAGS, SENTENCE), min_size=3, max_size=12, unique_by=lambda block: block[1]))
def test_every_visible_word_survives_in_order(blocks: list[tuple[str, str]]) -> None:
    numbered = [(tag, f"{text[:-1]} number{'x' * position}.") for position, (tag, text) in enumerate(blocks)]
    closing = "This closing sentence keeps the page long enough to be taken for an article."
    page = body_page("".join(element(tag, text) for tag, text in numbered) + f"<p>{closing}</p>")
    expected = [word for _, text in numbered for word in words(text)] + words(closing)
    assert words(read(page).text) == expected


@settings(deadline=None)
@given(st.text(max_size=300))
def test_text_never_holds_markup(text: str) -> None:
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    body = (
        f"<p>The calf <em>pumps</em> blood <a href='x'>up</a> to the heart.</p><div><span>{safe}</span></div>"
    )
    read_text = read(body_page(body)).text
    assert "<em>" not in read_text
    assert "<span>" not in read_text.replace(text, "")
    assert "The calf pumps blood up to the heart." in read_text


@settings(deadline=None)
@given(st.text(st.sampled_from("<>/=\"' abpdivulitrhs123!-[]&;"), max_size=200))
def test_broken_markup_gives_an_article_or_a_reason(markup: str) -> None:
    try:
        article = read(f"<html><body>{markup}")
    except UnreadableError as error:
        told = error.next_step
    else:
        told = article.title and article.text
    assert told


CALF = "<p>The calf pumps blood up to the heart.</p><p>It does so with every step, all day long.</p>"
CALF_TEXT = "The calf pumps blood up to the heart.\n\nIt does so with every step, all day long."


@pytest.mark.parametrize(
    "page",
    [
        f"<main><h1>T</h1><p>Posted by Rosa Field on</p>{CALF}<p>{DISCLAIMER}</p><div><h2>You might also like</h2>"
        + "".join(
            f"<article><h3><a href=x{n}>Shin {n}</a></h3><p>Runners know it all too well.</p></article>"
            for n in (1, 2)
        )
        + "</div></main>",
        f"<div aria-hidden=true><article><h1>T</h1><div class=rte>{CALF}</div></article></div><div role=dialog><p>10% off!</p></div>",
        f"<article><h1>T</h1><div class='entry-content no-comments'>{CALF}</div></article>",
        "<main><article><div class=rte><p>The calf pumps blood up to the heart.</p></div>"
        "<div class=rte><p>It does so with every step, all day long.</p></div></article></main>",
        f"<main><h1>T</h1>{CALF}<h2>3 comments</h2><p>Mine hurts.</p><p>Leave a comment</p></main>",
        f"<article><h1>T</h1><div class=rte>{CALF}</div><div id=comments><ul><li><p>Mine hurts too.</p><p>Bob Reader on May 6, 2014</p></li></ul></div></article>",
    ],
)
def test_layouts(page: str) -> None:
    article = read(f"<html><head><title>T</title></head><body>{page}</body></html>")
    assert article.text == CALF_TEXT
    assert "Bob" not in article.author


@pytest.mark.parametrize("wrapper", ["article", "div class='post'"])
def test_whole_posts_one_below_the_other_are_no_article(wrapper: str) -> None:
    posts = "".join(
        f"<{wrapper}><h2><a href=/p{n}>Post {n}</a></h2><div class='entry-content'>{CALF}</div></{wrapper.split(maxsplit=1)[0]}>"
        for n in range(3)
    )
    with pytest.raises(UnreadableError, match="list of posts"):
        read(f"<html><body><main>{posts}</main></body></html>")


@pytest.mark.parametrize(
    ("head", "article_id", "url"),
    [
        ("<link rel=canonical href='/blogs/m/calf'>", "/blogs/m/calf", ""),
        ("<link rel=canonical href='https://a.example/'>", "folder/page", "https://a.example/"),
        ("<link rel=canonical href='javascript:alert(1)'>", "folder/page", ""),
        ("<link rel=canonical href='http://['>", "folder/page", ""),
        (
            "<link rel=canonical href='/b/calf'><meta property=og:url content='https://a.example/x'>",
            "/b/calf",
            "https://a.example/b/calf",
        ),
    ],
)
def test_addresses(head: str, article_id: str, url: str) -> None:
    article = read(
        f"<html><head>{head}<title>T</title></head><body><div class=rte>{CALF}</div></body></html>"
    )
    assert (article.id, article.url) == (article_id, url)


def test_the_address_that_a_browser_notes_when_it_saves_a_page() -> None:
    page = f"<!-- saved from url=(0026)https://a.example/b/calf -->\n<html><body><h1>T</h1><div class=rte>{CALF}</div></body></html>"
    assert read(page).url == "https://a.example/b/calf"


@pytest.mark.parametrize(
    ("head", "heading", "title"),
    [
        ("<title>Calf pain | Shop</title>", "", "Calf pain"),
        ("<title>Calf pain - the basics</title>", "", "Calf pain - the basics"),
        ("<title>Calf pain - Shop</title><meta property=og:site_name content=Shop>", "", "Calf pain"),
        ("<title>Shop</title>", "<h1>Calf pain</h1>", "Calf pain"),
        (
            "<meta property=og:title content=Shop><meta property=og:site_name content=Shop>",
            "<h1>Calf pain</h1>",
            "Calf pain",
        ),
        ("", "", "The calf pumps blood up to the heart."),
    ],
)
def test_titles(head: str, heading: str, title: str) -> None:
    article = read(
        f"<html><head>{head}</head><body><article>{heading}<div class=rte>{CALF}</div></article></body></html>"
    )
    assert article.title == title
