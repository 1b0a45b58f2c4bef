"""How languages write numbers, months and days: CLDR's facts, as Qt 5.15 (which QGIS uses) knows them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Locale:
    """Separators, and names in the form used inside a date, from January and from Monday on."""

    decimal: str
    group: str
    minus: str
    am: str
    pm: str
    months: tuple[str, ...]
    short_months: tuple[str, ...]
    days: tuple[str, ...]
    short_days: tuple[str, ...]


@lru_cache(maxsize=64)
def find(name: str) -> Locale:
    """The locale of a name like ``de_AT``, ``de-AT`` or ``de``; English for unknown languages, as QGIS falls back."""
    name = name.replace("-", "_").partition(".")[0]
    row = _ROWS.get(name) or _ROWS.get(name.partition("_")[0]) or _ROWS["en"]
    decimal, group, minus, am, pm, *names = row.split("|")
    months, short_months, days, short_days = (tuple(text.split(";")) for text in names)
    return Locale(decimal, group, minus, am, pm, months, short_months, days, short_days)


_ROWS = {
    "en": (
        ".|,|-|AM|PM|January;February;March;April;May;June;July;August;September;October;November;December|Jan;Fe"
        "b;Mar;Apr;May;Jun;Jul;Aug;Sep;Oct;Nov;Dec|Monday;Tuesday;Wednesday;Thursday;Friday;Saturday;Sunday|Mon;T"
        "ue;Wed;Thu;Fri;Sat;Sun"
    ),
    "en_GB": (
        ".|,|-|am|pm|January;February;March;April;May;June;July;August;September;October;November;December|Jan;Fe"
        "b;Mar;Apr;May;Jun;Jul;Aug;Sept;Oct;Nov;Dec|Monday;Tuesday;Wednesday;Thursday;Friday;Saturday;Sunday|Mon;"
        "Tue;Wed;Thu;Fri;Sat;Sun"
    ),
    "de": (
        ",|.|-|AM|PM|Januar;Februar;März;April;Mai;Juni;Juli;August;September;Oktober;November;Dezember|Jan.;Feb."
        ";März;Apr.;Mai;Juni;Juli;Aug.;Sept.;Okt.;Nov.;Dez.|Montag;Dienstag;Mittwoch;Donnerstag;Freitag;Samstag;S"
        "onntag|Mo.;Di.;Mi.;Do.;Fr.;Sa.;So."
    ),
    "de_AT": (
        ",|\xa0|-|AM|PM|Jänner;Februar;März;April;Mai;Juni;Juli;August;September;Oktober;November;Dezember|Jän.;F"
        "eb.;März;Apr.;Mai;Juni;Juli;Aug.;Sep.;Okt.;Nov.;Dez.|Montag;Dienstag;Mittwoch;Donnerstag;Freitag;Samstag"
        ";Sonntag|Mo.;Di.;Mi.;Do.;Fr.;Sa.;So."
    ),
    "de_CH": (
        ".|’|-|AM|PM|Januar;Februar;März;April;Mai;Juni;Juli;August;September;Oktober;November;Dezember|Jan.;Feb."
        ";März;Apr.;Mai;Juni;Juli;Aug.;Sept.;Okt.;Nov.;Dez.|Montag;Dienstag;Mittwoch;Donnerstag;Freitag;Samstag;S"
        "onntag|Mo.;Di.;Mi.;Do.;Fr.;Sa.;So."
    ),
    "fr": (
        ",|\u202f|-|AM|PM|janvier;février;mars;avril;mai;juin;juillet;août;septembre;octobre;novembre;décembre|ja"
        "nv.;févr.;mars;avr.;mai;juin;juil.;août;sept.;oct.;nov.;déc.|lundi;mardi;mercredi;jeudi;vendredi;samedi;"
        "dimanche|lun.;mar.;mer.;jeu.;ven.;sam.;dim."
    ),
    "it": (
        ",|.|-|AM|PM|gennaio;febbraio;marzo;aprile;maggio;giugno;luglio;agosto;settembre;ottobre;novembre;dicembr"
        "e|gen;feb;mar;apr;mag;giu;lug;ago;set;ott;nov;dic|lunedì;martedì;mercoledì;giovedì;venerdì;sabato;domeni"
        "ca|lun;mar;mer;gio;ven;sab;dom"
    ),
    "it_CH": (
        ".|’|-|AM|PM|gennaio;febbraio;marzo;aprile;maggio;giugno;luglio;agosto;settembre;ottobre;novembre;dicembr"
        "e|gen;feb;mar;apr;mag;giu;lug;ago;set;ott;nov;dic|lunedì;martedì;mercoledì;giovedì;venerdì;sabato;domeni"
        "ca|lun;mar;mer;gio;ven;sab;dom"
    ),
    "es": (
        ",|.|-|a.\xa0m.|p.\xa0m.|enero;febrero;marzo;abril;mayo;junio;julio;agosto;septiembre;octubre;noviembre;d"
        "iciembre|ene;feb;mar;abr;may;jun;jul;ago;sept;oct;nov;dic|lunes;martes;miércoles;jueves;viernes;sábado;d"
        "omingo|lun;mar;mié;jue;vie;sáb;dom"
    ),
    "es_MX": (
        ".|,|-|a.\xa0m.|p.\xa0m.|enero;febrero;marzo;abril;mayo;junio;julio;agosto;septiembre;octubre;noviembre;d"
        "iciembre|ene.;feb.;mar.;abr.;may.;jun.;jul.;ago.;sep.;oct.;nov.;dic.|lunes;martes;miércoles;jueves;viern"
        "es;sábado;domingo|lun;mar;mié;jue;vie;sáb;dom"
    ),
    "pt": (
        ",|.|-|AM|PM|janeiro;fevereiro;março;abril;maio;junho;julho;agosto;setembro;outubro;novembro;dezembro|jan"
        ".;fev.;mar.;abr.;mai.;jun.;jul.;ago.;set.;out.;nov.;dez.|segunda-feira;terça-feira;quarta-feira;quinta-f"
        "eira;sexta-feira;sábado;domingo|seg.;ter.;qua.;qui.;sex.;sáb.;dom."
    ),
    "nl": (
        ",|.|-|a.m.|p.m.|januari;februari;maart;april;mei;juni;juli;augustus;september;oktober;november;december|"
        "jan.;feb.;mrt.;apr.;mei;jun.;jul.;aug.;sep.;okt.;nov.;dec.|maandag;dinsdag;woensdag;donderdag;vrijdag;za"
        "terdag;zondag|ma;di;wo;do;vr;za;zo"
    ),
    "pl": (
        ",|\xa0|-|AM|PM|stycznia;lutego;marca;kwietnia;maja;czerwca;lipca;sierpnia;września;października;listopad"
        "a;grudnia|sty;lut;mar;kwi;maj;cze;lip;sie;wrz;paź;lis;gru|poniedziałek;wtorek;środa;czwartek;piątek;sobo"
        "ta;niedziela|pon.;wt.;śr.;czw.;pt.;sob.;niedz."
    ),
    "cs": (
        ",|\xa0|-|dop.|odp.|ledna;února;března;dubna;května;června;července;srpna;září;října;listopadu;prosince|l"
        "ed;úno;bře;dub;kvě;čvn;čvc;srp;zář;říj;lis;pro|pondělí;úterý;středa;čtvrtek;pátek;sobota;neděle|po;út;st"
        ";čt;pá;so;ne"
    ),
    "sk": (
        ",|\xa0|-|AM|PM|januára;februára;marca;apríla;mája;júna;júla;augusta;septembra;októbra;novembra;decembra|"
        "jan;feb;mar;apr;máj;jún;júl;aug;sep;okt;nov;dec|pondelok;utorok;streda;štvrtok;piatok;sobota;nedeľa|po;u"
        "t;st;št;pi;so;ne"
    ),
    "sl": (
        ",|.|−|dop.|pop.|januar;februar;marec;april;maj;junij;julij;avgust;september;oktober;november;december|ja"
        "n.;feb.;mar.;apr.;maj;jun.;jul.;avg.;sep.;okt.;nov.;dec.|ponedeljek;torek;sreda;četrtek;petek;sobota;ned"
        "elja|pon.;tor.;sre.;čet.;pet.;sob.;ned."
    ),
    "hr": (
        ",|.|−|AM|PM|siječnja;veljače;ožujka;travnja;svibnja;lipnja;srpnja;kolovoza;rujna;listopada;studenoga;pro"
        "sinca|sij;velj;ožu;tra;svi;lip;srp;kol;ruj;lis;stu;pro|ponedjeljak;utorak;srijeda;četvrtak;petak;subota;"
        "nedjelja|pon;uto;sri;čet;pet;sub;ned"
    ),
    "sr": (
        ",|.|-|пре подне|по подне|јануар;фебруар;март;април;мај;јун;јул;август;септембар;октобар;новембар;децемба"
        "р|јан;феб;мар;апр;мај;јун;јул;авг;сеп;окт;нов;дец|понедељак;уторак;среда;четвртак;петак;субота;недеља|по"
        "н;уто;сре;чет;пет;суб;нед"
    ),
    "bs": (
        ",|.|-|prijepodne|popodne|januar;februar;mart;april;maj;juni;juli;august;septembar;oktobar;novembar;decem"
        "bar|jan;feb;mar;apr;maj;jun;jul;aug;sep;okt;nov;dec|ponedjeljak;utorak;srijeda;četvrtak;petak;subota;ned"
        "jelja|pon;uto;sri;čet;pet;sub;ned"
    ),
    "mk": (
        ",|.|-|претпладне|попладне|јануари;февруари;март;април;мај;јуни;јули;август;септември;октомври;ноември;де"
        "кември|јан.;фев.;мар.;апр.;мај;јун.;јул.;авг.;септ.;окт.;ноем.;дек.|понеделник;вторник;среда;четврток;пе"
        "ток;сабота;недела|пон.;вт.;сре.;чет.;пет.;саб.;нед."
    ),
    "bg": (
        ",|\xa0|-|пр.об.|сл.об.|януари;февруари;март;април;май;юни;юли;август;септември;октомври;ноември;декември"
        "|яну;фев;март;апр;май;юни;юли;авг;сеп;окт;ное;дек|понеделник;вторник;сряда;четвъртък;петък;събота;неделя"
        "|пн;вт;ср;чт;пт;сб;нд"
    ),
    "ro": (
        ",|.|-|a.m.|p.m.|ianuarie;februarie;martie;aprilie;mai;iunie;iulie;august;septembrie;octombrie;noiembrie;"
        "decembrie|ian.;feb.;mar.;apr.;mai;iun.;iul.;aug.;sept.;oct.;nov.;dec.|luni;marți;miercuri;joi;vineri;sâm"
        "bătă;duminică|lun.;mar.;mie.;joi;vin.;sâm.;dum."
    ),
    "hu": (
        ",|\xa0|-|de.|du.|január;február;március;április;május;június;július;augusztus;szeptember;október;novembe"
        "r;december|jan.;febr.;márc.;ápr.;máj.;jún.;júl.;aug.;szept.;okt.;nov.;dec.|hétfő;kedd;szerda;csütörtök;p"
        "éntek;szombat;vasárnap|H;K;Sze;Cs;P;Szo;V"
    ),
    "ru": (
        ",|\xa0|-|AM|PM|января;февраля;марта;апреля;мая;июня;июля;августа;сентября;октября;ноября;декабря|янв.;фе"
        "вр.;мар.;апр.;мая;июн.;июл.;авг.;сент.;окт.;нояб.;дек.|понедельник;вторник;среда;четверг;пятница;суббота"
        ";воскресенье|пн;вт;ср;чт;пт;сб;вс"
    ),
    "uk": (
        ",|\xa0|-|дп|пп|січня;лютого;березня;квітня;травня;червня;липня;серпня;вересня;жовтня;листопада;грудня|сі"
        "ч.;лют.;бер.;квіт.;трав.;черв.;лип.;серп.;вер.;жовт.;лист.;груд.|понеділок;вівторок;середа;четвер;пʼятни"
        "ця;субота;неділя|пн;вт;ср;чт;пт;сб;нд"
    ),
    "el": (
        ",|.|-|π.μ.|μ.μ.|Ιανουαρίου;Φεβρουαρίου;Μαρτίου;Απριλίου;Μαΐου;Ιουνίου;Ιουλίου;Αυγούστου;Σεπτεμβρίου;Οκτω"
        "βρίου;Νοεμβρίου;Δεκεμβρίου|Ιαν;Φεβ;Μαρ;Απρ;Μαΐ;Ιουν;Ιουλ;Αυγ;Σεπ;Οκτ;Νοε;Δεκ|Δευτέρα;Τρίτη;Τετάρτη;Πέμπτ"
        "η;Παρασκευή;Σάββατο;Κυριακή|Δευ;Τρί;Τετ;Πέμ;Παρ;Σάβ;Κυρ"
    ),
    "tr": (
        ",|.|-|ÖÖ|ÖS|Ocak;Şubat;Mart;Nisan;Mayıs;Haziran;Temmuz;Ağustos;Eylül;Ekim;Kasım;Aralık|Oca;Şub;Mar;Nis;M"
        "ay;Haz;Tem;Ağu;Eyl;Eki;Kas;Ara|Pazartesi;Salı;Çarşamba;Perşembe;Cuma;Cumartesi;Pazar|Pzt;Sal;Çar;Per;Cum"
        ";Cmt;Paz"
    ),
    "da": (
        ",|.|-|AM|PM|januar;februar;marts;april;maj;juni;juli;august;september;oktober;november;december|jan.;feb"
        ".;mar.;apr.;maj;jun.;jul.;aug.;sep.;okt.;nov.;dec.|mandag;tirsdag;onsdag;torsdag;fredag;lørdag;søndag|ma"
        "n.;tir.;ons.;tor.;fre.;lør.;søn."
    ),
    "sv": (
        ",|\xa0|−|fm|em|januari;februari;mars;april;maj;juni;juli;augusti;september;oktober;november;december|jan"
        ".;feb.;mars;apr.;maj;juni;juli;aug.;sep.;okt.;nov.;dec.|måndag;tisdag;onsdag;torsdag;fredag;lördag;sönda"
        "g|mån;tis;ons;tors;fre;lör;sön"
    ),
    "nb": (
        ",|\xa0|−|a.m.|p.m.|januar;februar;mars;april;mai;juni;juli;august;september;oktober;november;desember|ja"
        "n.;feb.;mar.;apr.;mai;jun.;jul.;aug.;sep.;okt.;nov.;des.|mandag;tirsdag;onsdag;torsdag;fredag;lørdag;søn"
        "dag|man.;tir.;ons.;tor.;fre.;lør.;søn."
    ),
    "fi": (
        ",|\xa0|−|ap.|ip.|tammikuuta;helmikuuta;maaliskuuta;huhtikuuta;toukokuuta;kesäkuuta;heinäkuuta;elokuuta;s"
        "yyskuuta;lokakuuta;marraskuuta;joulukuuta|tammik.;helmik.;maalisk.;huhtik.;toukok.;kesäk.;heinäk.;elok.;"
        "syysk.;lokak.;marrask.;jouluk.|maanantaina;tiistaina;keskiviikkona;torstaina;perjantaina;lauantaina;sunn"
        "untaina|ma;ti;ke;to;pe;la;su"
    ),
    "et": (
        ",|\xa0|−|AM|PM|jaanuar;veebruar;märts;aprill;mai;juuni;juuli;august;september;oktoober;november;detsembe"
        "r|jaan;veebr;märts;apr;mai;juuni;juuli;aug;sept;okt;nov;dets|esmaspäev;teisipäev;kolmapäev;neljapäev;ree"
        "de;laupäev;pühapäev|E;T;K;N;R;L;P"
    ),
    "lv": (
        ",|\xa0|-|priekšpusdienā|pēcpusdienā|janvāris;februāris;marts;aprīlis;maijs;jūnijs;jūlijs;augusts;septemb"
        "ris;oktobris;novembris;decembris|janv.;febr.;marts;apr.;maijs;jūn.;jūl.;aug.;sept.;okt.;nov.;dec.|pirmdi"
        "ena;otrdiena;trešdiena;ceturtdiena;piektdiena;sestdiena;svētdiena|pirmd.;otrd.;trešd.;ceturtd.;piektd.;s"
        "estd.;svētd."
    ),
    "lt": (
        ",|\xa0|−|priešpiet|popiet|sausio;vasario;kovo;balandžio;gegužės;birželio;liepos;rugpjūčio;rugsėjo;spalio"
        ";lapkričio;gruodžio|saus.;vas.;kov.;bal.;geg.;birž.;liep.;rugp.;rugs.;spal.;lapkr.;gruod.|pirmadienis;an"
        "tradienis;trečiadienis;ketvirtadienis;penktadienis;šeštadienis;sekmadienis|pr;an;tr;kt;pn;št;sk"
    ),
    "is": (
        ",|.|-|f.h.|e.h.|janúar;febrúar;mars;apríl;maí;júní;júlí;ágúst;september;október;nóvember;desember|jan.;f"
        "eb.;mar.;apr.;maí;jún.;júl.;ágú.;sep.;okt.;nóv.;des.|mánudagur;þriðjudagur;miðvikudagur;fimmtudagur;föst"
        "udagur;laugardagur;sunnudagur|mán.;þri.;mið.;fim.;fös.;lau.;sun."
    ),
    "ca": (
        ",|.|-|a.\xa0m.|p.\xa0m.|de gener;de febrer;de març;d’abril;de maig;de juny;de juliol;d’agost;de "
        "setembre;d’octubre;de novembre;de desembre|de gen.;de febr.;de març;d’abr.;de maig;de juny;de "
        "jul.;d’ag.;de set.;d’oct.;de nov.;de "
        "des.|dilluns;dimarts;dimecres;dijous;divendres;dissabte;diumenge|dl.;dt.;dc.;dj.;dv.;ds.;dg."
    ),
    "eu": (
        ",|.|−|AM|PM|urtarrilak;otsailak;martxoak;apirilak;maiatzak;ekainak;uztailak;abuztuak;irailak;urriak;azar"
        "oak;abenduak|urt.;ots.;mar.;api.;mai.;eka.;uzt.;abu.;ira.;urr.;aza.;abe.|astelehena;asteartea;asteazkena"
        ";osteguna;ostirala;larunbata;igandea|al.;ar.;az.;og.;or.;lr.;ig."
    ),
    "ja": (
        ".|,|-|午前|午後|1月;2月;3月;4月;5月;6月;7月;8月;9月;10月;11月;12月|1月;2月;3月;4月;5月;6月;7月;8月;9月;10月;11月;12月|月曜日;火曜日;水曜日;木曜"
        "日;金曜日;土曜日;日曜日|月;火;水;木;金;土;日"
    ),
    "zh": (
        ".|,|-|上午|下午|一月;二月;三月;四月;五月;六月;七月;八月;九月;十月;十一月;十二月|1月;2月;3月;4月;5月;6月;7月;8月;9月;10月;11月;12月|星期一;星期二;星期三;星期四"
        ";星期五;星期六;星期日|周一;周二;周三;周四;周五;周六;周日"
    ),
    "ko": (
        ".|,|-|오전|오후|1월;2월;3월;4월;5월;6월;7월;8월;9월;10월;11월;12월|1월;2월;3월;4월;5월;6월;7월;8월;9월;10월;11월;12월|월요일;화요일;수요일;목요"
        "일;금요일;토요일;일요일|월;화;수;목;금;토;일"
    ),
    "vi": (
        ",|.|-|SA|CH|tháng 1;tháng 2;tháng 3;tháng 4;tháng 5;tháng 6;tháng 7;tháng 8;tháng 9;tháng 10;tháng "
        "11;tháng 12|thg 1;thg 2;thg 3;thg 4;thg 5;thg 6;thg 7;thg 8;thg 9;thg 10;thg 11;thg 12|Thứ Hai;Thứ "
        "Ba;Thứ Tư;Thứ Năm;Thứ Sáu;Thứ Bảy;Chủ Nhật|Th 2;Th 3;Th 4;Th 5;Th 6;Th 7;CN"
    ),
    "id": (
        ",|.|-|AM|PM|Januari;Februari;Maret;April;Mei;Juni;Juli;Agustus;September;Oktober;November;Desember|Jan;F"
        "eb;Mar;Apr;Mei;Jun;Jul;Agu;Sep;Okt;Nov;Des|Senin;Selasa;Rabu;Kamis;Jumat;Sabtu;Minggu|Sen;Sel;Rab;Kam;Ju"
        "m;Sab;Min"
    ),
    "C": (
        ".||-|AM|PM|January;February;March;April;May;June;July;August;September;October;November;December|Jan;Feb"
        ";Mar;Apr;May;Jun;Jul;Aug;Sep;Oct;Nov;Dec|Monday;Tuesday;Wednesday;Thursday;Friday;Saturday;Sunday|Mon;Tu"
        "e;Wed;Thu;Fri;Sat;Sun"
    ),
}
