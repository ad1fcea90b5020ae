"""Names that many people have, in several languages: evidence where the words around are not enough.

Nobody's name has to be in here to be found beside a title or in a column of surnames. But "customer: jane roe" in
small letters, `MR JOHN SMITH` beside `MR REVIEW NEEDED`, and a column `name` that may hold products are told by
them. Plain tables, in lower case and without accents.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_GIVEN_TEXT = """
aaron abdul abdullah abigail abraham ada adam adele adrian adriana agnes agnieszka ahmad ahmed aicha aisha akira
albert alberto alejandra alejandro aleksandr alessandra alessandro alexander alexandra alexandre alexandru alexis
alfred alfredo ali alice alicia alina allison alok alvaro amadou amanda amelia amelie amina amir amit amy ana
anastasia andre andrea andreas andrei andres andrew andrzej angela angelina anil anita anja ann anna anne annette
anthony antoine anton antonia antonio aoife arjun arnaud arthur arturo arun ashley astrid audrey aurelie ayse barbara
bartosz beatrice beatriz ben benedict benjamin benoit bernadette bernd bernhard bertrand beth betty bianca birgit
bjorn bogdan boris brandon brenda brian bridget bruno camila camille carla carlo carlos carmen carolin caroline
caterina catherine cecile cecilia celine chandra charles chiara chidi chinedu chloe chris christa christiane christina
christine christophe christopher claire clara claudia claudio clemens clement colette colin connor conrad cristina
cynthia dagmar damien daniel daniela danielle daria dariusz dave david deborah deepak denise dennis derek diana diane
diego dieter dimitri dmitri dolores dominic dominik dominique donald donna dora doris dorothy duncan dylan edith
eduardo edward edwin eileen elaine eleanor elena elias elisa elisabeth elise eliza elizabeth elke ella ellen elodie
elsa elvira emeka emil emilia emilie emily emma emmanuel enrico enrique eric erica erik erika ernest ernesto erwin
esther etienne eugene eva evelyn ewa fabian fabio fabrice farah fatima fatou federico felipe felix fernanda fernando
filip fiona florian frances francesca francesco francisco franck francois francoise franz fred frederic frederik
friedrich gabriel gabriela gabriele gaelle ganesh gary gaston geoffrey george georges gerald gerard gerhard giacomo
gianluca giorgio giovanni giulia giuseppe gonzalo gordon grazyna gregory greta grzegorz guadalupe guido guillaume
guillermo gunter gustav gustavo hannah hans harald harold harry hassan hector heidi heike heinrich heinz helen helena
helga helmut henri henry herbert hermann hiroshi horst howard hubert hugo hussein ian ibrahim ignacio igor imran ines
inga ingrid irene irina irma isaac isabel isabella isabelle ismail istvan ivan ivana jacek jacob jacqueline jacques
jaime jakub james jamie jane janet janine janusz jason javier jean jeffrey jennifer jeremy jerome jerry jesse jessica
jill jim joachim joan joana joanna joao joaquin jochen joel johan johann johanna johannes john johnny jonas jonathan
jorg jorge jose josef josefina joseph josephine joshua joyce juan juana judith julia julian juliana julie julien julio
jurgen justin justyna kamal kamil karen karim karin karina karl karolina katarzyna kate katharina katherine kathleen
kathryn katja katrin kavita keiko keith kenji kenneth kerstin kevin khadija khalid kiran kirsten klaus kofi konrad
krishna krystyna krzysztof kurt kwame kyle lara larry lars laura laurence laurent lea leah leila leo leon leonard
leonardo leonie leticia liam linda lisa lois lorenzo louis louise luc luca lucas lucia lucie lucy luigi luis luisa
lukas lukasz lutz lydia maciej magdalena mahmoud malgorzata malik manfred manuel manuela marc marcel marcelo marcin
marco marcos marcus margaret margarita margot maria mariam mariana marianne marie mario marion marius markus marlene
marta martha martin martina mary maryam mateo mateusz mathias mathieu mathilde matteo matthew matthias maureen maurice
mauricio maxime megan mehmet melanie melissa mercedes michael michaela michal michel michele michelle miguel mikhail
mireille miriam mohamed mohammad mohammed monica monika monique moritz muhammad mustafa nadia nadine nancy naomi
nasser natalia natalie natasha nathalie nathan neha neil nicholas nicola nicolas nicole nikolai nina nisha noah nora
norbert norman odile olaf oleg olga oliver olivia olivier omar oscar oskar osman oswald otto pablo pamela paola paolo
pascal patricia patrick paul paula paulina pauline pawel pedro penelope peter petra philip philipp philippe phillip
pierre pilar piotr pooja priya rachel rafael rahul raj rajesh ralf ralph ramesh ramon raphael raquel raul ravi raymond
rebecca reinhard renate rene ricardo riccardo richard rita robert roberta roberto rodolfo rodrigo roger roland rolf
ronald rosa rosemary rosie roxane rudolf ruediger rupert russell ruth ryan sabine sabrina saeed salma salvatore sam
samantha samir samuel sandra sandrine sanjay sara sarah sebastian sebastien serge sergei sergio seth shirley shreya
siegfried sigrid silke silvia simon simone sofia sonia sonja sophia sophie stanislaw stefan stefania stefanie stefano
stella stephan stephane stephanie stephen steve steven stuart sunil sunita suresh susan susanne suzanne sven svetlana
sylvia sylvie takashi tamara tania tanja tatiana teresa tereza terry theo theodor theodore theresa therese thierry
thomas thorsten tiffany tim timothy tina tobias tom tomas tomasz tommy toni tony torsten tracy tyler ulrich ulrike
umberto ursula uwe valentina valeria valerie vanessa veronica veronika veronique vicente victor vijay vikram viktor
vincent vincenzo virginie vladimir volker waldemar walter wanjiru wendy werner wilhelm willem william winston wojciech
wolfgang xavier yann yasmin yasmine yolanda youssef yuki yulia yusuf yves yvette yvonne zbigniew zoe zofia
"""
_ALSO_WORDS_TEXT = """
alan anders angel april art austin autumn bert bill bob bonnie brad brooke carol charlotte chase chelsea christian
crystal daisy dale dallas dan dawn dean don drew earl eve faith florence frank gene georgia gerry ginger gloria grace
grant guy heather holly hope hunter ivy jack jackie jackson jade jan jasmine jay joe jordan joy june kelly kim lauren
lee leslie lily logan madison marina mark mason max may mia mike milan miles nick olive pat patience pearl penny piper
ray regina rich rob robin roman rose ruby rusty sally sandy savannah scott sean shannon sharon shawn sierra stan sue
summer sydney ted toby troy victoria violet virginia warren wayne will willow
"""
"""Given names that are words too, or names of things and places."""
_FAMILY_TEXT = """
adams aguilar allen almeida alvarez alves anderson andersson araujo bailey bakker barbieri barbosa bauer baumann
becker bennett berger bernard bianchi bonnet bos bosch braun brooks campbell carter carvalho castillo castro chaudhary
chen choi clark collins colombo conti contreras cooper costa cox cruz davis diaz dijkstra doe dubois dupont durand
edwards esposito evans fernandes fernandez ferrari ferreira fischer flores fontana fournier franke fuchs fujita gallo
garcia garnier gauthier gimenez giordano girard gomes gomez gonzales gonzalez greco gruber guerin guerrero gupta
gutierrez haas hall hansen harris hartmann hernandez herrera hoffmann hofmann horvath huang huber hughes ito ivanov
jain jansen janssen jensen jimenez johansson johnson jones kamau kaminski kato kaur keller khan kobayashi koch kohler
kowalczyk kowalski kraus krause kruger kuhn kumar lambert lange larsen lefebvre legrand lehmann leroy lewandowski
lewis li lin liu lombardi lopes lopez lovelace ludwig maier marini marino martinez martins masson mayer medina meier
meijer mendes mendez mendoza mercier meyer miller mitchell molina moore morales moreau morel moreno moretti morgan
morris mueller mulder muller murphy murray mustermann myers nakamura nascimento navarro nelson neumann nguyen nielsen
nowak nunez obrien oliveira olsen ortega ortiz otieno parker patel pereira perez perrin peters petersen peterson
petrov pham phillips pinto popov ramirez ramos rao reddy reyes reyna ribeiro ricci richardson richter rivas rivera
rizzo roberts robinson rodrigues rodriguez roe rogers rojas romano romero ross rossi rousseau roussel ruiz russo saito
sanchez sanders santos sato schaefer schafer schmid schmidt schmitt schmitz schneider scholz schroder schroeder
schubert schultz schulz schulze shah sharma silva silvestri singh smirnov smit smith soares sousa souza stewart suarez
suzuki svensson szabo szymanski takahashi tanaka taylor teixeira thompson toth tran turing turner vargas vasquez vidal
vieira visser vogel vogt vos wagner walker wang watanabe watson weber williams wilson winkler wisniewski wojcik wong
wright wu yadav yamada yamamoto yang yilmaz zhang zhao ziegler zimmermann
"""
_PARTICLES_TEXT = "da de del della den der di dos du la le van von zu"
_FIRMS_TEXT = """
ab ag bank bv co company corp corporation department dept foundation gmbh group holding holdings hospital inc
industries institute kg limited llc llp ltd nv office oy partners plc sa sarl school services solutions spa srl store
studio systems team technologies trust university
"""
_OFFICES_TEXT = """
accounting accounts admin administration affairs agency analytics architecture assigned association assurance authority
backend billing board bureau business cloud club cola committee communications community content council data days
default depot design development devops digital division editorial editors education election engineering excellence
facilities fargo federal finance frontend fund general global government growth guest help human infrastructure
initiative innovation insurance intelligence internal international it kernel legal list logistics mailing management
marketing media mobile nations network news number observatory official open operations order organisation organization
payments payroll people planning platform policy press procurement product production project projects public
publishing quality ready relations reply required research resources retail review risk safety sales science security
senior service shared software source staff strategy success supply support system task technical technology test time
tool toolkit tools training transport treasury union unknown user users various vendor warehouse web world
"""
_THINGS_TEXT = """
air airlines airport app armchair audio backpack bag balm band bands basket bath battery bay beach beans bed bedside
beer belt bench beverage bike blanket blazer blouse boat book bookcase books boots bottle bowl box boxers bra bracelet
bread bridge bros brothers bundle cabinet cable cafe cake camera candle candy cap capital car card cardigan care case
chair chairs chaise charger cheese chips chocolate city clock coast coat coffee collection comfort cookies copper
corner cosmetics cotton couch county cover cream cup cups curtain cushion deluxe desk dining dish door drawer dress
dresses drink edition electric electronics energy engine express farms figure flats food foods foot fork frame game
games garden gin glass glasses gloves gold gown grill guitar hair handbag hat headphones health heels hoodie
hotel house iron island isle italian jacket jam jar jeans jewelers jewelry jug juice jumper kettle keyboard kit knife
knit lamp laptop large leather leggings lens lighting linen lipstick loafers loan lotion luggage magazine mask
mat mattress medium milk mini mirror mitts model monitor mount motor motors mountain mouse mug museum music national
necklace new north office oil organizer original outfit oven pack paint pan pants paper pen pencil pendant
perfume pillow pizza plate polo port pot powder premium print printer pro pullover purse rack radio red regular
restaurant ring river road robe rug sandal sandals sauce saw scarf schal schrank seat set shampoo sheet sheets shelf
shirt shirts shoe shoes shorts shower silk skirt slim slippers snacks sneaker sneakers soap socks sofa soup
south speaker spoon spray square stool store street stuhl suit sunglasses suitcase swimsuit sweater sweatshirt table
tablet tank tea tee tennis theater theatre tie tights tisch towel toy tray trousers tshirt tumbler tv umbrella
underwear unit valley vase vest vodka wallet wash watch whiskey whisky wine wool yoga
los saint san sankt santa sao st the
"""
_MOST_WORDS: Final = 4
_GIVEN: Final = frozenset(_GIVEN_TEXT.split())
_FAMILY: Final = frozenset(_FAMILY_TEXT.split())
_THINGS: Final = frozenset(_THINGS_TEXT.split())
"""Words in the names of goods, places and books: Anna Dress, San Diego, The Dubliners. Few people have
them for a name."""
_ALSO_WORDS: Final = frozenset(_ALSO_WORDS_TEXT.split())
_PARTICLES: Final = frozenset(_PARTICLES_TEXT.split())
_FIRMS: Final = frozenset(_FIRMS_TEXT.split())
"""Words of which the names of firms have one, and those of people none."""
_OFFICES: Final = frozenset(_OFFICES_TEXT.split())
"""Likewise those of departments, bodies and roles: Human Resources, Finance Team, World Bank."""
_SPELLED = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "ł": "l", "đ": "d"})


def plain_word(word: str) -> str:
    """A word as the tables have it.

    >>> plain_word("García"), plain_word("O'Brien,"), plain_word("Łukasz")
    ('garcia', "o'brien", 'lukasz')
    """
    lower = word.lower().strip(".,;:").translate(_SPELLED)
    return "".join(char for char in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(char))


def is_known_given(word: str) -> bool:
    """Whether this is a given name that many people have, and no word for something else.

    >>> is_known_given("José"), is_known_given("Summer"), is_known_given("Table")
    (True, False, False)
    """
    return plain_word(word) in _GIVEN


def is_part_of_name(word: str) -> bool:
    """Whether a word is a given or a family name that many people have, be it also a word for something else.

    >>> is_part_of_name("Grace"), is_part_of_name("Nguyễn"), is_part_of_name("Wireless")
    (True, True, False)
    """
    plain = plain_word(word)
    return plain in _GIVEN or plain in _FAMILY or plain in _ALSO_WORDS


def has_known_surname(name: str) -> bool:
    """Whether one of the words behind the first is a family name that many people have.

    >>> has_known_surname("José Martínez"), has_known_surname("Pedro Reservoir")
    (True, False)
    """
    return not _FAMILY.isdisjoint(map(plain_word, name.split()[1:]))


def is_known_name(text: str) -> bool:
    """Whether some words read as somebody's name: one is a clear given name, or all are names; and none is a firm's.

    >>> is_known_name("Jane Roe"), is_known_name("Dupont"), is_known_name("Summer Smith")
    (True, True, True)
    >>> is_known_name("Blue Chair"), is_known_name("May"), is_known_name("Schmidt GmbH")
    (False, False, False)
    """
    words = {plain_word(word) for piece in text.split() for word in piece.split("-")} - _PARTICLES - {""}
    if not words or not words.isdisjoint(_FIRMS):
        return False
    return not words.isdisjoint(_GIVEN) or (words <= _FAMILY | _ALSO_WORDS and not words.isdisjoint(_FAMILY))


def is_persons_name(text: str) -> bool:
    """Whether some words are a name that many people have, at least for the family, and no name of a thing.

    >>> is_persons_name("Jane Quigley"), is_persons_name("Aditya Kumar"), is_persons_name("Emma Skirt")
    (True, True, False)
    """
    if names_thing(text):
        return False
    return is_known_name(text) or (reads_as_name(text) and plain_word(text.rsplit(maxsplit=1)[-1]) in _FAMILY)


def reads_as_name(text: str) -> bool:
    """Whether some words may be a name, be it nobody's that is known: a few in capitals, or one that is also a word.

    >>> reads_as_name("Ngozi Adeyemi"), reads_as_name("Jan van der Berg"), reads_as_name("Bob")
    (True, True, True)
    >>> reads_as_name("Emma Skirt"), reads_as_name("Berlin"), reads_as_name("Pride and Prejudice")
    (False, False, False)
    """
    words = [word for word in text.split() if plain_word(word) not in _PARTICLES]
    if len(words) == 1:
        return plain_word(words[0]) in _ALSO_WORDS
    in_capitals = all(word[0].isupper() for word in words)
    return 2 <= len(words) <= _MOST_WORDS and in_capitals and not names_thing(text)


def names_thing(text: str) -> bool:
    """Whether a word in a name says that it is that of a firm, an office, of goods or of a place.

    >>> names_thing("Anna Dress"), names_thing("Schmidt GmbH"), names_thing("Anna Schmidt")
    (True, True, False)
    """
    words = {plain_word(word) for piece in text.split() for word in piece.split("-")}
    return not (words.isdisjoint(_THINGS) and words.isdisjoint(_FIRMS) and words.isdisjoint(_OFFICES))
