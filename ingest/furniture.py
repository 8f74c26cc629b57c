"""Furniture: the words of a page that are the shop's and the theme's, not the author's.

Told by their wording alone, so that the same rules serve pages with markup and dumps without.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingest.characters import one_line, word_set, words
from ingest.line_shapes import ends_sentence

_NAMED = {
    "NETWORK": r"(?:facebook|twitter|x|pinterest|linked ?in|instagram|whats ?app|reddit|youtube|e-?mail)",
    "MONEY": r"(?:(?:US|CA|AU)?[$£€]\s?\d[\d,.]*(?:\s?(?:USD|GBP|EUR|CAD|AUD))?)",
    "POSTS": r"(?:articles?|posts?|stories|blogs?|blog posts?|products?|courses?)",
    # The buttons and links of themes that speak French, German, Spanish, Italian or Dutch.
    "FOREIGN_END": (
        r"\W*(?:retour au blog|zurück zum blog|volver al blog|torna al blog|terug naar (?:de )?blog|"
        r"laisser un commentaire|(?:einen )?kommentar (?:hinterlassen|schreiben)|dejar? un comentario|"
        r"lascia un commento|laat een reactie achter|articles (?:similaires|liés)|"
        r"ähnliche (?:artikel|beiträge)|artículos relacionados|articoli correlati|gerelateerde artikelen|"
        r"(?:article|message|beitrag|entrada|articolo|bericht) "
        r"(?:précédent|plus ancien|plus récent|suivant|anterior|siguiente|precedente|successivo)|"
        r"(?:älterer|neuerer|vorheriger|nächster) (?:post|beitrag|artikel))\W*"
    ),
    "FOREIGN": (
        r"(?:partager|teilen|compartir|condividi|delen|panier|warenkorb|carrito|carrello|winkelwagen|"
        r"rechercher|suchen?|buscar|cerca|zoeken|accueil|startseite|inicio|se connecter|anmelden|"
        r"iniciar sesión|accedi|inloggen|en savoir plus|mehr erfahren|leer más|lire la suite|weiterlesen|"
        r"ajouter au panier|in den warenkorb|añadir al carrito|aller au contenu|direkt zum inhalt|"
        r"ir directamente al contenido|vai direttamente ai contenuti|meteen naar de content|"
        r"mentions légales|impressum|épuisé|ausverkauft|agotado|esaurito|uitverkocht)(?: \d+)?"
    ),
    "COURSE": r"(?:courses?|workshops?|masterclass\w*|webinars?)\b",
}


def _rules(listed: str) -> re.Pattern[str]:
    """One pattern from rules, one a line; a word in capitals stands for its entry in _NAMED."""
    named = re.sub(
        "|".join(sorted(_NAMED, key=len, reverse=True)), lambda found: _NAMED[found.group()], listed
    )
    return re.compile("|".join(f"(?:{rule.strip()})" for rule in named.splitlines() if rule.strip()), re.I)


# Furniture wherever it stands, as a whole line.
_ANYWHERE = _rules(
    r"""
    skip to (?:main )?content|close(?: menu)?|menu|toggle (?:menu|navigation)|(?:main )?navigation
    (?:your |view |my |shopping )?(?:cart|basket|bag)(?: ?[(:]? ?\d+ ?\)?)?(?: items?)?
    (?:your |my |shopping )?(?:cart|basket|bag) is (?:currently )?empty\.?
    cart total.*|check ?out|continue shopping|proceed to checkout|menu\W+cart\W*\d*
    you have no items in your .*
    log ?in|log ?out|sign ?in|sign ?up|register|create (?:an )?account|my account|search(?: our store)?
    share(?: this)?(?: (?:post|article|page|story|entry|blog))?:?|share via.*
    (?:(?:share|tweet|pin(?: it)?|post|like|find|follow|save)(?: (?:this|us))? (?:on|by|via|to) NETWORK\W*)+
    (?:item |just )?added to (?:your )?(?:cart|basket|bag)\W*|qty\b.{0,12}|quantity:?
    view (?:my )?(?:cart|basket|bag)\b.{0,12}|reader interactions|primary sidebar|search this (?:web)?site.*
    \W*(?:previous|prev)\W+(?:next)?\W*|\W*next\W*
    (?:also read|read (?:also|next|more)|see also|related(?: (?:article|reading|post)s?)?)\s*:\s.{3,99}[^.!?]
    FOREIGN
    https?://\S+
    (?:photo|image|picture)s?\b.{0,60}\b(?:unsplash|pexels|pixabay|shutterstock|i?stock|getty|freepik|canva)\b.{0,20}
    (?:(?:share|tweet|post|pin it|pin|e-?mail|print|save|like|copy link|send)\b\W*)+
    follow(?: us)?(?: on .*)?|like us on .*|share on .{3,20}|opens in a new window\.?
    NETWORK(?:\W+NETWORK)*|copy link|link copied!?|print(?: this)?(?: page| article)?
    sold out|out of stock|in stock|back in stock.*|add to (?:cart|basket|bag|wish ?list)|buy (?:it )?now
    notify me.{0,30}
    quick (?:view|shop|add|buy)|choose options|select options|shop now|order now|enrol+ (?:now|today|here)
    on sale|sale!?|view (?:product|details|course|options)|unit price.*|vendor:.*|quantity
    (?:(?:regular|sale|unit|our|list|normal|special) )?(?:price|from|only|now|was|save|sale)?:?\s*MONEY
    (?:\w+ ){0,2}MONEY(?:\W+(?:\w+ ){0,2}MONEY)+
    save \d+ ?%|\d+ ?% off|free (?:\w+ )?(?:shipping|delivery).*
    order by (?:phone|telephone).*|call (?:us|toll).{0,20}\d{3}.*|\(?\d{3}\)?[ -.]\d{3}[ -.]\d{4}
    \W*(?:(?:older|newer|previous|next|prev|earlier|later) (?:posts?|articles?|entry|entries|story)\W*)+
    \W*back to (?:the )?(?:blog|top|news|articles|all (?:posts|articles)|\w+ blog).{0,30}
    \W*return to (?:blog|news).{0,30}
    read more\W*|continue reading.*|learn more\W*|see more\W*|view (?:all|more).{0,20}|load more.*
    show more\W*
    find out more\W*|click here\W*|more info(?:rmation)?\W*|see all.{0,20}|download now\W*
    (?:please )?(?:leave|post|add|write|submit) (?:a|your) (?:comment|reply|response)\W*|cancel reply|reply
    (?:\d+|no|one) (?:comments?|responses?|replies|reply)(?: yet)?\W*|comments? ?\(\d+\)|\d+ thoughts? on .*
    comments?(?: are (?:closed|off).*)?:?|be the first to comment.*|responses|post comment|submit comment
    (?:please note,? )?(?:all )?comments (?:must be|are|need to be) (?:approved|moderated).*
    your e-?mail address will not be published.*|required fields are marked.*|save my name, e-?mail.*
    this site is protected by .*|this site uses akismet.*
    (?:name|e-?mail|message|website|comment)(?: \*| \(required\)|\*)|your (?:name|e-?mail|comment|message)
    (?:posted|filed) (?:in|under)\b.*|tags?:.*|tagged(?: with| in)?:? .*|categor(?:y|ies):.*|topics?:.*
    subscribe(?: (?:now|today|here))?\W*|newsletter
    get .{0,40} (?:straight|delivered|direct(?:ly)?) to your inbox.*
    (?:subscribe|sign ?up|join)\b.{0,60}\b(?:newsletters?|mailing list|inbox|updates|blog)\b.{0,80}
    (?:subscribe|sign ?up|join)\b.{0,60}\be-?mail(?:s| list)\b.{0,80}
    (?:enter )?your e-?mail(?: address)?.{0,20}|be the first to know.*
    words from our .{3,30}|what (?:our|other) .{3,30} (?:say|are saying).{0,20}|customer reviews.*
    based on \d+ reviews.*|write a review|\d+ reviews?|★+.*
    (?:related|recommended|similar|more|other|further) POSTS(?: (?:from|in|you|for|on|by) .{0,40})?:?
    you (?:may|might|will|could) (?:also|even) .{0,40}|more from .{0,40}|recommended for you
    people also .{0,30}
    (?:recent|latest|popular|trending|featured|top) (?:POSTS|collections?|news|comments)
    customers also .{0,30}
    read next|keep reading|up next|complete your .{0,30}|best ?sellers?
    ©.*|\(c\) (?:19|20)\d\d.*|copyright\b.{0,10}\b(?:19|20)\d\d.*|.{0,60}all rights reserved.*
    powered by .{0,40}
    (?:web)?site (?:design(?:ed)?|built) by .*|designed by .{0,40}
    (?:privacy|refund|shipping|returns?|cookie) (?:policy|policies|notice)
    terms (?:of|and|&) (?:service|use|cond).{0,20}
    do not sell my .*|cookie (?:settings|preferences)|accept(?: all)?(?: cookies)?|decline
    (?:this (?:web)?site|we) uses? cookies.*
    choosing a selection results in a full page refresh.*|press the space key.*|use left/right arrows.*
    play(?: video)?|video (?:player|unavailable|placeholder).*|watch (?:on|later|video now).{0,20}
    tap to unmute.*
    this video is (?:private|unavailable).*|click to (?:play|enlarge|zoom|expand).*
    your browser (?:does not|doesn.t) support.*
    \[?(?:embedded )?video\]?|\[?(?:image|photo)\]?|loading|\d{1,2}:\d\d ?/ ?\d{1,2}:\d\d
    \[(?:video|image|embed|gallery|caption|photo)[^\]]{0,80}\]
    advertisements?|sponsored(?: (?:content|post|link))?|ad|promoted|affiliate links?.{0,60}
    (?:last )?\d+ views|likes?:? ?\d*|\d+ (?:likes?|shares?|tweets?|pins?)|\d+ min(?:ute)?s? read
    [\w.+-]+@[\w-]+\.[\w.]+
    """
)
# Names of a site's sections: furniture above and below an article, words like any other inside it.
_SECTION_NAMES = _rules(
    r"""
    home(?: ?page)?|shop(?: all)?|store|blogs?|the blog|our blog|news|articles|about(?: us| me)?
    contact(?: us)?
    faqs?|help|support|(?:online |our |all )?courses?|(?:all )?products?|books?|books (?:&|and) .{3,20}
    dvds?
    videos?|free trial|gallery|testimonials?|reviews?|services|resources|downloads?|account|wishlist
    gift cards?|specials?|offers?|events|workshops|training|members?|membership|affiliates?|careers|press
    catalog(?:ue)?|collections?|info(?:rmation)?|quick links|links|browse|archives?|categories
    customer (?:service|care)|sitemap|currency.{0,20}|language.{0,20}|united (?:states|kingdom).{0,20}
    english|usd|gbp|eur|welcome.{0,40}|trigger point (?:blog|courses?|products?|charts?)
    (?:home|blog|news)\s*[›»>/|].*
    """
)
# After one of these lines the article is over; what follows is comments and furniture.
_END = _rules(
    r"""
    \W*(?:(?:older|newer|previous|next|prev) (?:posts?|articles?|entry)\W*)+
    \W*(?:older|newer|previous|next) (?:post|article)\b[^.]{0,100}
    \W*back to (?:the )?(?:blog|news|articles)\W*
    share this (?:post|article|story|entry|blog)(?:(?: on)? .{0,30})?:?
    (?:please )?(?:leave|post|add|write|submit) (?:a|your) (?:comment|reply|response)\W*
    (?:\d+|no) (?:comments?|responses?|replies)(?: yet)?\W*|comments? ?\(\d+\)|\d+ thoughts? on .*
    comments:?
    (?:please note,? )?(?:all )?comments (?:must be|are) (?:approved|moderated).*|comments are closed.*
    (?:related|recommended|similar|more|other) POSTS(?: (?:from|in|you|for|on|by) .{0,40})?:?
    you (?:may|might) also (?:like|enjoy|be interested in).{0,20}
    (?:recent|latest|popular|trending|featured) POSTS
    words from our .{3,30}|what (?:our|other) .{3,30} (?:say|are saying).{0,20}|customer reviews
    (?:about the authors?|about the writer|author bio):?
    (?:subscribe|sign ?up|join)\b.{0,60}\b(?:newsletters?|mailing list|inbox|e-?mail(?:s| list))\b.{0,40}
    newsletter
    tags?:.*|(?:posted|filed) (?:in|under)\b.*
    FOREIGN_END
    ©.*|copyright\b.{0,10}\b(?:19|20)\d\d.*|payment methods.*|quick links
    """
)
_FORM = _rules(
    r"""
    \W*(?:please )?(?:leave|post|add|write|submit) (?:a|your) (?:comment|reply|response)\W*
    \W*(?:please note,? )?comments (?:must|need).*
    """
)
# What calls on the reader, and what a shop sells: together they are an advert.
_CALL = _rules(
    r"""
    ^\W*(?:click|tap|enrol+|buy|shop|order|get|save|sign up|register|join|start|download|discover|learn)\b
    ^\W*(?:find out|become|check out|see|view|visit|watch|take|try|don.t miss|hurry|book|earn|claim|grab)\b
    ^\W*(?:study|train|expand|upgrade|advance|want|looking|ready|interested|use code|limited|special|new)\b
    ^\W*(?:now|follow|free)\b
    \b(?:click|tap) (?:here|on|the|below)\b|\benrol+ (?:now|today|here|before|by)\b|\blearn more\b
    \bfind out more\b
    \b(?:sign up|buy|shop|order|register|book|join) (?:now|today|here|online)\b|\buse (?:the )?code\b
    """
)
_COMMERCE = _rules(
    r"""
    MONEY|\b\d+ ?% (?:off|discount)\b|\bsave (?:up to )?\d+ ?%|\bdiscount\b|\bcoupon\b|\bfree trial\b
    \bfree shipping\b
    \bmoney.back\b|\bspecial offer\b|\bon sale\b|\bbundles?\b|\bpromo(?:tion)?\b|\blifetime access\b
    \bpromo code\b|\b(?:with|use|using|enter) (?:the )?(?:\w+ )?code:? (?=\w*[\dA-Z])\w+
    \b(?:on-?line|our|video|training|home.study|certificat\w+|accredited|diploma|this) (?:[\w-]+ ){0,4}?COURSE
    \b(?:cpd|ceu?s?|nat|professional|master\w*) (?:[\w-]+ ){0,4}?COURSE
    \b(?:ceu?s?|cpd|continuing education)(?: (?:credits?|points?|hours?|units?))?\b
    \benrol+(?:l?ment|led)?\b
    \bcertified (?:\w+ ){0,3}(?:therapist|practitioner|instructor)\b|\be-?books?\b|\bnewsletters?\b
    ^(?:[\w-]+ ){0,2}(?:course|workshop|webinar|masterclass|e-?book|dvd|bundle)(?: bundle)?: .*(?!.*\.$)
    \bearly.bird\b|\b(?:places|spaces|stocks?|supplies) last\b|\blimited (?:places|spaces|seats|time)\b
    \bbook (?:your|a) (?:place|seat|spot)\b|\bvideo lessons\b|\byours to keep\b|\bcertificate of\b
    \bour (?:shop|store|products?|books?|charts?|app)\b|\bin our (?:online )?(?:shop|store)\b
    """
)
_PAYMENT = word_set(
    """
    american express amex apple pay google visa mastercard master card maestro paypal diners club
    discover jcb klarna shop venmo union unionpay bancontact ideal sofort elo interac afterpay
    clearpay sezzle amazon payment methods icons accepted we accept bitcoin stripe electron debit
    """
)
# What one line of a menu is made of, when a dump has put all its entries beside each other.
_MENU_WORDS = word_set(
    """
    home shop store blog blogs news articles about us contact log in login out sign up register account
    my search cart basket bag menu courses course books products faq faqs help support all video videos
    gallery testimonials reviews services resources events workshops training members membership our the
    charts online free trial specials wishlist checkout 0
    """
)
_LEAST_MENU_WORDS = 4
_DECORATION = re.compile(r"^[\W_]+|[^\w.!?%)\]*]+$")
_MAX_ADVERT_WORDS = 60
_MAX_ADVERT_CHARACTERS = 2_000


def is_furniture(line: str) -> bool:
    """Whether a whole line is a button, a label, a price or another part of the page around articles."""
    if len(line) > 2_000:
        return False
    line = one_line(line)
    found = words(line)
    if not found:
        return True
    if len(line) > 200:
        return False
    bare = _DECORATION.sub("", line)
    is_payment = len(found) >= 2 and set(found) <= _PAYMENT
    is_menu = len(found) >= _LEAST_MENU_WORDS and not ends_sentence(line) and set(found) <= _MENU_WORDS
    return is_payment or is_menu or bool(_ANYWHERE.fullmatch(line) or _ANYWHERE.fullmatch(bare))


def is_section_name(line: str) -> bool:
    """Whether a line is an entry of a site's menu; certain only above and below an article."""
    return bool(_SECTION_NAMES.fullmatch(_DECORATION.sub("", one_line(line))))


def is_advert(paragraph: str) -> bool:
    """Whether a short paragraph calls on the reader to buy or enrol, or names goods and their price."""
    if len(paragraph) > _MAX_ADVERT_CHARACTERS:
        return False
    line = one_line(paragraph)
    if len(words(line)) > _MAX_ADVERT_WORDS:
        return False
    goods = sum(1 for _ in _COMMERCE.finditer(line))
    return goods >= 2 or (goods == 1 and bool(_CALL.search(line)))


def sells(line: str) -> bool:
    """Whether a line calls on the reader or names goods: an advert when it also stands on many pages."""
    if len(line) > _MAX_ADVERT_CHARACTERS:
        return False
    line = one_line(line)
    return len(words(line)) <= _MAX_ADVERT_WORDS and bool(_COMMERCE.search(line))


def ends_article(line: str) -> bool:
    """Whether a line stands below articles only: the comments, other posts and the shop follow it."""
    line = one_line(line)
    return len(line) <= 120 and bool(_END.fullmatch(line) or _END.fullmatch(_DECORATION.sub("", line)))


def is_comment_form(line: str) -> bool:
    """Whether a line belongs to the form below the comments."""
    return bool(_FORM.fullmatch(one_line(line)))


def find_end(lines: Sequence[str]) -> int:
    """The number of lines that belong to the article, the first closing line not among them.

    A closing line that stands above most of the prose (share buttons under a title, a box in the middle)
    closes nothing; comments are no prose.
    """
    weights = [len(words(line)) if ends_sentence(line) else 0 for line in lines]
    form = max((number for number, line in enumerate(lines) if is_comment_form(line)), default=0)
    total, above_form, before = sum(weights), sum(weights[:form]), 0
    for number, line in enumerate(lines):
        comments = max(above_form - before, 0)
        if before and before * 2 >= total - comments and ends_article(line):
            return number
        before += weights[number]
    return len(lines)
