"""What the language vote promises: the right name, or an honest abstention."""

from __future__ import annotations

import doctest
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import detector.language
from detector.language import LanguageVote, differs, identifier_name, identify, normalise_tag
from detector.report import Sentence

TEXTS = {
    "en": [
        "The council met on Monday to talk about the ferry.",
        "Most owners of small boats stayed at home.",
    ],
    "de": [
        "Der Rat der Hafenstadt tagte am Montag wegen der Fähre.",
        "Die meisten Besitzer kleiner Boote blieben fern.",
    ],
    "es": [
        "El ayuntamiento se reunió el lunes para hablar del barco.",
        "Casi todos los dueños se quedaron en casa.",
    ],
    "fr": [
        "Le conseil s'est réuni lundi pour parler du bateau.",
        "La plupart des propriétaires sont restés chez eux.",
    ],
    "ru": [
        "Совет портового города собрался в понедельник вечером.",
        "Владельцы лодок остались дома и молчали.",
    ],
    "ar": ["اجتمع مجلس المدينة يوم الاثنين للحديث عن العبارة.", "بقي معظم أصحاب القوارب الصغيرة في بيوتهم."],
    "he": ["מועצת העיר התכנסה ביום שני כדי לדבר על המעבורת.", "רוב בעלי הסירות נשארו בבית."],
    "hi": ["नगर परिषद की बैठक सोमवार को हुई जिसमें नाव की बात हुई।", "अधिकतर नाव मालिक घर पर ही रहे और चुप रहे।"],
    "zh": ["港口城市的议会星期一开会讨论渡船。", "大多数船主留在家里。"],
    "ja": ["港町の議会は月曜日に船のことを話し合った。", "多くの船主は家にいた。"],
    "ko": ["항구 도시 의회는 월요일에 배에 대해 논의했다.", "대부분의 선주는 집에 있었다."],
    "th": ["สภาเมืองท่าประชุมกันในวันจันทร์เพื่อพูดเรื่องเรือข้ามฟาก"],
    "ka": ["საპორტო ქალაქის საბჭო ორშაბათს შეიკრიბა და ბორანზე ისაუბრა."],
}

LONG = {
    "en": "After two hours of talk in the old town hall, the head of the council said that the price of a "
    "ticket on the ferry would have to rise, which pleased nobody in the room.",
    "es": "Después de dos horas de conversación en el viejo ayuntamiento, la presidenta dijo que el precio "
    "del billete tendría que subir, lo que no gustó a nadie en la sala.",
}

ADDED = {
    "az": [
        "Liman şəhərinin şurası bazar ertəsi axşam toplandı və yeni bərənin biletinin "
        "neçəyə satılacağını müzakirə etdi.",
        "Kiçik qayıqların sahibləri evdə qaldılar, çünki heç kim onlara qulaq asmırdı və "
        "külək də çox güclü əsirdi.",
    ],
    "be": [
        "Рада партовага горада сабралася ў панядзелак увечары і доўга размаўляла пра "
        "тое, колькі будзе каштаваць білет.",
        "Уладальнікі маленькіх лодак засталіся дома, бо ніхто не слухаў іх, а вецер на "
        "возеры быў занадта моцны.",
    ],
    "eo": [
        "La konsilio de la havena urbo kunvenis lundon vespere por paroli pri la prezo "
        "de bileto por la nova pramo.",
        "La plimulto de la posedantoj de malgrandaj boatoj restis hejme, ĉar neniu volis "
        "aŭskulti ilin kaj la vento blovis forte.",
    ],
    "eu": [
        "Portuko hiriko udalbatza astelehen gauean bildu zen ferry berriaren txartelak "
        "zenbat balio beharko lukeen hitz egiteko.",
        "Ontzi txikien jabe gehienak etxean geratu ziren, inork ez zielako entzuten eta "
        "haizea indartsuegia zelako.",
    ],
    "ga": [
        "Tháinig comhairle an bhaile le chéile oíche Luain chun labhairt faoi phraghas "
        "an ticéid don bhád farantóireachta nua.",
        "D'fhan formhór úinéirí na mbád beag sa bhaile mar nár éist aon duine leo agus "
        "bhí an ghaoth róláidir an lá sin.",
    ],
    "gl": [
        "Os veciños da vila xuntáronse o luns á noite coa alcaldesa para falar do prezo "
        "do billete da nova lancha.",
        "Case todos os donos das barcas pequenas quedaron na casa, porque o vento era "
        "moi forte e ninguén lles preguntara nada.",
    ],
    "ig": [
        "Ndị ọchịchị obodo ahụ zukọrọ n'abalị Mọnde ka ha kwurịta ego ole a ga-akwụ maka "
        "ụgbọ mmiri ọhụrụ ahụ n'afọ ọzọ.",
        "Ọtụtụ ndị nwe obere ụgbọ mmiri nọrọ n'ụlọ n'ihi na ọ dịghị onye gere ha ntị, "
        "ifufe dịkwa ike n'ụbọchị ahụ.",
    ],
    "is": [
        "Bæjarráð hafnarbæjarins kom saman á mánudagskvöld til að ræða hvað miðinn í "
        "nýju ferjuna ætti að kosta á næsta ári.",
        "Flestir eigendur lítilla báta sátu heima því að enginn hlustaði á þá og "
        "vindurinn var of hvass til að sigla.",
    ],
    "kk": [
        "Порт қаласының кеңесі дүйсенбі күні кешке жиналып, жаңа паромның билеті қанша "
        "тұратынын ұзақ талқылады.",
        "Шағын қайықтардың иелері үйде қалды, өйткені оларды ешкім тыңдамады, ал жел тым қатты соғып тұрды.",
    ],
    "mn": [
        "Боомт хотын зөвлөл даваа гарагийн орой хуралдаж, шинэ усан онгоцны тасалбар "
        "хэдэн төгрөг болохыг удаан ярилцав.",
        "Жижиг завьны эздийн ихэнх нь гэртээ үлдсэн, учир нь тэднийг хэн ч сонсоогүй "
        "бөгөөд салхи хэтэрхий хүчтэй байв.",
    ],
    "mt": [
        "Il-kunsill tal-belt iltaqa' t-Tnejn filgħaxija biex jitkellem dwar kemm għandu "
        "jiswa l-biljett tal-vapur il-ġdid.",
        "Ħafna mis-sidien tad-dgħajjes iż-żgħar baqgħu d-dar għax ħadd ma kien qed "
        "jismagħhom u r-riħ kien qawwi wisq.",
    ],
    "nn": [
        "Bystyret i hamnebyen møttest måndag kveld for å snakke om kor mykje billetten "
        "til den nye ferja skulle koste neste år.",
        "Dei fleste som eig små båtar, vart verande heime, fordi ingen høyrde på dei og "
        "vinden var for sterk.",
    ],
    "sr": [
        "Веће лучког града састало се у понедељак увече да разговара о томе колико ће "
        "коштати карта за нови трајект.",
        "Већина власника малих чамаца остала је код куће, јер их нико није слушао, а "
        "ветар је био превише јак.",
    ],
}
"""Languages whose profiles are ours."""

NEIGHBOURS = {
    "tr": "Liman kentinin meclisi pazartesi akşamı toplandı ve yeni feribotun biletinin ne "
    "kadar olacağını uzun uzun konuştu.",
    "uk": "Рада портового міста зібралася в понеділок увечері й довго говорила про те, "
    "скільки коштуватиме квиток на пором.",
    "ru": "Совет портового города собрался в понедельник вечером и долго говорил о том, "
    "сколько будет стоить билет на паром.",
    "mk": "Советот на пристанишниот град се состана во понеделник вечерта за да зборува "
    "колку ќе чини билетот за траектот.",
    "pt": "A câmara da cidade portuária reuniu-se na segunda-feira à noite para falar do "
    "preço do bilhete da nova barca.",
    "es": LONG["es"],
    "nb": "Bystyret i havnebyen møttes mandag kveld for å snakke om hvor mye billetten til "
    "den nye fergen skulle koste neste år.",
    "da": "Byrådet i havnebyen mødtes mandag aften for at tale om, hvor meget billetten "
    "til den nye færge skulle koste næste år.",
    "id": "Dewan kota pelabuhan bertemu pada hari Senin malam untuk membicarakan berapa "
    "harga karcis kapal feri yang baru.",
    "hr": "Vijeće lučkoga grada sastalo se u ponedjeljak navečer kako bi razgovaralo o "
    "tome koliko će stajati karta za trajekt.",
    "en": LONG["en"],
}


def sentences(*texts: str) -> list[Sentence]:
    found, at = [], 0
    for text in texts:
        found.append(Sentence(text, at, at + len(text)))
        at += len(text) + 1
    return found


@pytest.mark.parametrize(("language", "texts"), TEXTS.items(), ids=TEXTS)
def test_two_sentences_name_their_language(language: str, texts: list[str]) -> None:
    vote = identify(sentences(*texts))
    assert (vote.language, vote.verdict) == (language, None)
    assert 0.8 < vote.share <= 1.0


@pytest.mark.parametrize(("language", "texts"), ADDED.items(), ids=ADDED)
def test_a_language_langdetect_lacks_is_no_neighbour(language: str, texts: list[str]) -> None:
    votes = [identify(sentences(text)) for text in texts] + [identify(sentences(*texts))]
    assert [(vote.language, vote.verdict) for vote in votes] == [(language, None)] * 3
    assert votes == [identify(sentences(text)) for text in texts] + [identify(sentences(*texts))]


@pytest.mark.parametrize(("language", "text"), NEIGHBOURS.items(), ids=NEIGHBOURS)
def test_the_neighbours_keep_their_name(language: str, text: str) -> None:
    assert identify(sentences(text)).language == language


def test_profiles_are_small_and_named_as_their_files() -> None:
    profiles = sorted((Path(detector.language.__file__).parent / "assets" / "langdetect").iterdir())
    assert len(profiles) == len(detector.language._factory().get_lang_list()) - 55
    for path in profiles:
        profile = json.loads(path.read_text("utf-8"))
        assert profile["name"] == path.name == normalise_tag(path.name)
        assert path.stat().st_size <= 40_000
        assert all(len(run) <= 3 and count > 2 for run, count in profile["freq"].items())


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [""],
        ["😀 😀", "12 345,67"],
        ["Xi met Putin."],
        ["Paris."],
        ["船走了。"],
        ["\ud800\x00"],
        ["?" * 5_000],
    ],
)
def test_short_text_is_not_judged(texts: list[str]) -> None:
    assert identify(sentences(*texts)) == LanguageVote(None, "too_short", 0.0)


def test_min_letters_lets_the_caller_decide() -> None:
    assert identify(sentences("The ferry left the harbour."), min_letters=10).language == "en"


def test_an_ideograph_counts_for_more_than_a_letter() -> None:
    assert identify(sentences("港口城市的议会星期一开会讨论")).language == "zh"


@pytest.mark.parametrize("other", ["es", "ru", "ar", "zh", "ko"])
def test_half_and_half_is_mixed(other: str) -> None:
    vote = identify(sentences(*TEXTS["en"] * 3, *TEXTS[other] * 3))
    assert vote.verdict == "mixed_language"
    assert vote.language in ("en", other)


def test_one_foreign_sentence_does_not_mix_a_text() -> None:
    assert identify(sentences(*TEXTS["en"] * 5, TEXTS["es"][0])).verdict is None


def test_a_text_in_capitals_has_a_language() -> None:
    assert identify(sentences(*(t.upper() for t in TEXTS["en"]))).language == "en"


def test_letters_no_one_knows_have_no_language() -> None:
    assert identify(sentences("ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ " * 10)) == LanguageVote(None, None, 0.0)


def test_votes_do_not_change_from_run_to_run_and_leave_the_global_seed_alone() -> None:
    texts = ["Ferry nova port.", *TEXTS["es"]]
    code = (
        "import langdetect\n"
        "from detector.language import identify\n"
        "from detector.report import Sentence\n"
        f"print([identify([Sentence(t, 0, len(t))], min_letters=1) for t in {texts!r}])\n"
        "assert langdetect.DetectorFactory.seed is None\n"
        "assert langdetect.detector_factory._factory is None\n"
    )
    runs = [subprocess.run([sys.executable, "-c", code], check=True, capture_output=True) for _ in range(2)]
    assert runs[0].stdout == runs[1].stdout != b""


def test_a_long_text_is_sampled() -> None:
    identify(sentences(*TEXTS["en"]))
    many = sentences(*TEXTS["en"] * 50_000)
    one = sentences(" ".join(TEXTS["en"]) * 20_000)
    started = time.perf_counter()
    assert identify(many).language == identify(one).language == "en"
    assert time.perf_counter() - started < 3.0


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        (LONG["es"], "en", True),
        (LONG["en"], "en-GB", False),
        (LONG["es"], "gl", False),  # too close to be sure
        (TEXTS["es"][0], "en", False),  # too short to be sure
        (TEXTS["zh"][0], "en", True),
        (TEXTS["ru"][0], "en", True),
        (TEXTS["ru"][0], "uk", False),
        (TEXTS["en"][0], "ar", True),
        (TEXTS["ja"][0], "ja", False),
        (TEXTS["zh"][0] * 4, "ja", False),
        (TEXTS["en"][0], "zh", True),
        ("Ms. Holm met 习近平 on Monday.", "en", False),
        ("😀 12 345", "en", False),
        (LONG["en"], "eu", True),
        (LONG["en"], "br", False),  # nothing here knows Breton, so it cannot be ruled out
    ],
)
def test_only_a_clearly_foreign_sentence_differs(text: str, language: str, expected: bool) -> None:
    assert differs(Sentence(text, 0, len(text)), language) is expected


@pytest.mark.parametrize(
    ("tag", "primary"), [("EN_us", "en"), ("en", "en"), ("zh-Hant-TW", "zh"), ("iw", "he"), (" sah ", "sah")]
)
def test_tags_are_reduced_to_their_primary_subtag(tag: str, primary: str) -> None:
    assert normalise_tag(tag) == primary


@pytest.mark.parametrize("tag", ["", "english", "e", "en-", "12", "und", "en us", "../en", "español"])
def test_nonsense_tags_are_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="BCP 47"):
        normalise_tag(tag)


def test_a_tag_that_is_no_str_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="int"):
        normalise_tag(5)  # type: ignore[arg-type]


def test_identifier_names_its_version() -> None:
    assert re.fullmatch(r"langdetect-1\.[\d.]+\+profiles-\d+", identifier_name())


def test_docstring_examples_run() -> None:
    assert doctest.testmod(detector.language) == (0, 2)
