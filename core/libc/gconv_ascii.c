// SPDX-License-Identifier: BSD-3-Clause
// gconv_ascii.c: what the locale C writes in the place of characters that a charset does not have.
//
// The letters of ASCII that glibc 2.36 writes, as its __gconv_transliterate was seen to answer for
// each character; other locales have such a list in their files.
#include <string.h>

#include "core/libc/gconv.h"

// From first on, a tab between one character's letters and the next one's. No letters: nothing is
// said about it; \b: it is left out. In ascending order.
static const struct {
    uint32_t first;
    const char *letters;
} runs[] = {
    {0x00a0, " "},
    {0x00a9, "(C)\t\t<<\t\t-\t(R)\t\t\t\t\t\t\tu\t\t\t,\t\t\t>>\t 1/4 \t 1/2 \t 3/4 "},
    {0x00c6, "AE"},
    {0x00d7, "x"},
    {0x00df, "ss\t\t\t\t\t\t\tae"},
    {0x0132, "IJ\tij"},
    {0x0149, "'n"},
    {0x0152, "OE\toe"},
    {0x017f, "s"},
    {0x01c7, "LJ\tLj\tlj\tNJ\tNj\tnj"},
    {0x01f1, "DZ\tDz\tdz"},
    {0x02bc, "'"},
    {0x02c6, "^\t\t'\t\t\t`\t\t_\t\t\t:"},
    {0x02dc, "~"},
    {0x0370, "H\th\tSS\tss\t#\t#`\tW\tw\t\t\ti\ts\ts\ts\t?\tJ\t\t\t\t\t`\t`\tA\t;\tE\tI\tI\t\tO"
             "\t\tY\tO\tI\tA\tV\tG\tD\tE\tZ\tI\tTH\tI\tK\tL\tM\tN\tX\tO\tP\tR\t\tS\tT\tY\tF\tCH"
             "\tPS\tO\tI\tY\ta\te\ti\ti\ty\ta\tv\tg\td\te\tz\ti\tth\ti\tk\tl\tm\tn\tx\to\tp\tr\t"
             "s\ts\tt\ty\tf\tch\tps\to\ti\ty\to\ty\to\t&\tb\tth\tY`\tY`\tY`\tf\tp\t&\tQ\tq\t6\t6"
             "\tW\tw\t90\t90\t900\t900\tSH\tsh\tF\tf\tKH\tkh\tH\th\tDJ\tdj\tGJ\tgj\tTI\tti\tk\tr"
             "\ts\tj\tTH\te\te\tSH\tsh\tS\tS\ts\tr\tS\tS\tS\t\tYO\tDJ\tG`\tYE\tZ`\tI\tYI\tJ\tL`"
             "\tN`\tTSH\tK`\t\tU`\tDH\tA\tB\tV\tG\tD\tE\tZH\tZ\tI\tJ\tK\tL\tM\tN\tO\tP\tR\tS\tT"
             "\tU\tF\tX\tCZ\tCH\tSH\tSHH\tA`\tY`\t`\tE`\tYU\tYA\ta\tb\tv\tg\td\te\tzh\tz\ti\tj\t"
             "k\tl\tm\tn\to\tp\tr\ts\tt\tu\tf\tx\tcz\tch\tsh\tshh\t``\ty`\t`\te`\tyu\tya\t\tyo\t"
             "dj\tg`\tye\tz`\ti\tyi\tj\tl`\tn`\ttsh\tk`\t\tu`\tdh"},
    {0x046a, "O`\to`\t\t\t\t\t\t\tFH\tfh\tYH\tyh"},
    {0x048c, "E`\te`\t\t\tG`\tg`\tGH\tgh\tGH\tgh\tZH`\tzh`\t\t\tK`\tk`\t\t\tK`\tk`\t\t\tN`\tn`\t"
             "NG\tng\tP`\tp`\tO`\to`\tC`\tC`\tT`\tt`\tU\tu\t\t\tH`\th`\tTCZ\ttcz\t\t\t\t\tSH`\ts"
             "h`\tCH`\tch`\tCH`\tch`\ti\tZH`\tzh`"},
    {0x04cb, "CH`\tch`\t\t\t\tA`\ta`\tA`\ta`\t\t\tE`\te`\tA`\ta`\t\t\tZH`\tzh`\tZ`\tz`\tZ`\tz`\t"
             "\t\tI`\ti`\tO`\to`\tO`\to`\t\t\t\t\t\t\tU`\tu`\tU`\tu`\tCH`\tch`\t\t\tY`\ty`"},
    {0x05f3, "'\t\""},
    {0x2002, " \t \t \t \t \t\t \t \t \t\b\t\t\t\t\t-\t-\t-\t-\t--\t-\t\t\t'\t'\t,\t'\t\"\t\"\t,"
             ",\t\"\t+\t\to\t\t.\t..\t..."},
    {0x202f, " \t\t\t\t\t\t`\t``\t```\t\t<\t>\t\t!!"},
    {0x2044, "/\t\t\t?\?\t?!\t!?"},
    {0x205f, " \t\b\t\b\t\b\t\b"},
    {0x20a1, "C=\t\t\t\t\t\t\tRs\t\t\t\tEUR"},
    {0x20b9, "INR"},
    {0x2100, "a/c\ta/s\tC\t\t\tc/o\tc/u\t\t\t\tg\tH\tH\tH\th\t\tI\tI\tL\tl\t\tN\tNo\t\t\tP\tQ\tR"
             "\tR\tR\t\t\t\tTEL\t(TM)\t\tZ\t\tOhm\t\tZ\t\t\t\tB\tC\te\te\tE\tF\t\tM\to\t\t\t\t\t"
             "i"},
    {0x2145, "D\td\te\ti\tj"},
    {0x2153, " 1/3 \t 2/3 \t 1/5 \t 2/5 \t 3/5 \t 4/5 \t 1/6 \t 5/6 \t 1/8 \t 3/8 \t 5/8 \t 7/8 "
             "\t 1/\tI\tII\tIII\tIV\tV\tVI\tVII\tVIII\tIX\tX\tXI\tXII\tL\tC\tD\tM\ti\tii\tiii\ti"
             "v\tv\tvi\tvii\tviii\tix\tx\txi\txii\tl\tc\td\tm"},
    {0x2190, "<-\t\t->\t\t<->"},
    {0x21d0, "<=\t\t=>\t\t<=>"},
    {0x2212, "-\t\t\t/\t\\\t*"},
    {0x2223, "|"},
    {0x2236, ":\t\t\t\t\t\t~"},
    {0x2264, "<=\t>=\t\t\t\t\t<<\t>>"},
    {0x22d8, "<<<\t>>>"},
    {0x2400, "NUL\tSOH\tSTX\tETX\tEOT\tENQ\tACK\tBEL\tBS\tHT\tLF\tVT\tFF\tCR\tSO\tSI\tDLE\tDC1\t"
             "DC2\tDC3\tDC4\tNAK\tSYN\tETB\tCAN\tEM\tSUB\tESC\tFS\tGS\tRS\tUS\tSP\tDEL\t\t_\tNL"},
    {0x2460, "(1)\t(2)\t(3)\t(4)\t(5)\t(6)\t(7)\t(8)\t(9)\t(10)\t(11)\t(12)\t(13)\t(14)\t(15)\t("
             "16)\t(17)\t(18)\t(19)\t(20)\t(1)\t(2)\t(3)\t(4)\t(5)\t(6)\t(7)\t(8)\t(9)\t(10)\t(1"
             "1)\t(12)\t(13)\t(14)\t(15)\t(16)\t(17)\t(18)\t(19)\t(20)\t1.\t2.\t3.\t4.\t5.\t6.\t"
             "7.\t8.\t9.\t10.\t11.\t12.\t13.\t14.\t15.\t16.\t17.\t18.\t19.\t20.\t(a)\t(b)\t(c)\t"
             "(d)\t(e)\t(f)\t(g)\t(h)\t(i)\t(j)\t(k)\t(l)\t(m)\t(n)\t(o)\t(p)\t(q)\t(r)\t(s)\t(t"
             ")\t(u)\t(v)\t(w)\t(x)\t(y)\t(z)\t(A)\t(B)\t(C)\t(D)\t(E)\t(F)\t(G)\t(H)\t(I)\t(J)"
             "\t(K)\t(L)\t(M)\t(N)\t(O)\t(P)\t(Q)\t(R)\t(S)\t(T)\t(U)\t(V)\t(W)\t(X)\t(Y)\t(Z)\t"
             "(a)\t(b)\t(c)\t(d)\t(e)\t(f)\t(g)\t(h)\t(i)\t(j)\t(k)\t(l)\t(m)\t(n)\t(o)\t(p)\t(q"
             ")\t(r)\t(s)\t(t)\t(u)\t(v)\t(w)\t(x)\t(y)\t(z)\t(0)"},
    {0x2500, "-\t\t|"},
    {0x250c, "+\t\t\t\t+\t\t\t\t+\t\t\t\t+\t\t\t\t+"},
    {0x2524, "+"},
    {0x252c, "+"},
    {0x2534, "+"},
    {0x253c, "+"},
    {0x25e6, "o"},
    {0x2a74, "::=\t==\t==="},
    {0x3000, " "},
    {0x30a0, "="},
    {0x3251, "(21)\t(22)\t(23)\t(24)\t(25)\t(26)\t(27)\t(28)\t(29)\t(30)\t(31)\t(32)\t(33)\t(34)"
             "\t(35)"},
    {0x32b1, "(36)\t(37)\t(38)\t(39)\t(40)\t(41)\t(42)\t(43)\t(44)\t(45)\t(46)\t(47)\t(48)\t(49)"
             "\t(50)"},
    {0x3371, "hPa\tda\tAU\tbar\toV\tpc"},
    {0x3380, "pA\tnA\tuA\tmA\tkA\tKB\tMB\tGB\tcal\tkcal\tpF\tnF\tuF\tug\tmg\tkg\tHz\tkHz\tMHz\tG"
             "Hz\tTHz\tul\tml\tdl\tkl\tfm\tnm\tum\tmm\tcm\tkm\tmm^2\tcm^2\tm^2\tkm^2\tmm^3\tcm^3"
             "\tm^3\tkm^3\tm/s\tm/s^2\tPa\tkPa\tMPa\tGPa\trad\trad/s\trad/s^2\tps\tns\tus\tms\tp"
             "V\tnV\tuV\tmV\tkV\tMV\tpW\tnW\tuW\tmW\tkW\tMW\t\t\ta.m.\tBq\tcc\tcd\tC/kg\tCo.\tdB"
             "\tGy\tha\tHP\tin\tKK\tKM\tkt\tlm\tln\tlog\tlx\tmb\tmil\tmol\tPH\tp.m.\tPPM\tPR\tsr"
             "\tSv\tWb"},
    {0xfb00, "ff\tfi\tfl\tffi\tffl\t\tst"},
    {0xfb29, "+"},
    {0xfe00, "\b\t\b\t\b\t\b\t\b\t\b\t\b\t\b\t\b\t\b\t\b\t\b\t\b\t\b\t\b\t\b"},
    {0xfe4d, "_\t_\t_\t,\t\t.\t\t;\t:\t?\t!\t\t(\t)\t{\t}\t\t\t#\t&\t*\t+\t-\t<\t>\t=\t\t\\\t$\t"
             "%\t@"},
    {0xfeff, "\b\t\t!\t\"\t#\t$\t%\t&\t'\t(\t)\t*\t+\t,\t-\t.\t/\t0\t1\t2\t3\t4\t5\t6\t7\t8\t9\t"
             ":\t;\t<\t=\t>\t?\t@\tA\tB\tC\tD\tE\tF\tG\tH\tI\tJ\tK\tL\tM\tN\tO\tP\tQ\tR\tS\tT\tU"
             "\tV\tW\tX\tY\tZ\t[\t\\\t]\t^\t_\t`\ta\tb\tc\td\te\tf\tg\th\ti\tj\tk\tl\tm\tn\to\tp"
             "\tq\tr\ts\tt\tu\tv\tw\tx\ty\tz\t{\t|\t}\t~"},
    {0x1d400, "A\tB\tC\tD\tE\tF\tG\tH\tI\tJ\tK\tL\tM\tN\tO\tP\tQ\tR\tS\tT\tU\tV\tW\tX\tY\tZ\ta\tb"
              "\tc\td\te\tf\tg\th\ti\tj\tk\tl\tm\tn\to\tp\tq\tr\ts\tt\tu\tv\tw\tx\ty\tz\tA\tB\tC"
              "\tD\tE\tF\tG\tH\tI\tJ\tK\tL\tM\tN\tO\tP\tQ\tR\tS\tT\tU\tV\tW\tX\tY\tZ\ta\tb\tc\td"
              "\te\tf\tg\t\ti\tj\tk\tl\tm\tn\to\tp\tq\tr\ts\tt\tu\tv\tw\tx\ty\tz\tA\tB\tC\tD\tE\t"
              "F\tG\tH\tI\tJ\tK\tL\tM\tN\tO\tP\tQ\tR\tS\tT\tU\tV\tW\tX\tY\tZ\ta\tb\tc\td\te\tf\tg"
              "\th\ti\tj\tk\tl\tm\tn\to\tp\tq\tr\ts\tt\tu\tv\tw\tx\ty\tz\tA\t\tC\tD\t\t\tG\t\t\tJ"
              "\tK\t\t\tN\tO\tP\tQ\t\tS\tT\tU\tV\tW\tX\tY\tZ\ta\tb\tc\td\t\tf\t\th\ti\tj\tk\t\tm"
              "\tn\t\tp\tq\tr\ts\tt\tu\tv\tw\tx\ty\tz\tA\tB\tC\tD\tE\tF\tG\tH\tI\tJ\tK\tL\tM\tN\t"
              "O\tP\tQ\tR\tS\tT\tU\tV\tW\tX\tY\tZ\ta\tb\tc\td\te\tf\tg\th\ti\tj\tk\tl\tm\tn\to\tp"
              "\tq\tr\ts\tt\tu\tv\tw\tx\ty\tz\tA\tB\t\tD\tE\tF\tG\t\t\tJ\tK\tL\tM\tN\tO\tP\tQ\t\t"
              "S\tT\tU\tV\tW\tX\tY\t\ta\tb\tc\td\te\tf\tg\th\ti\tj\tk\tl\tm\tn\to\tp\tq\tr\ts\tt"
              "\tu\tv\tw\tx\ty\tz\tA\tB\t\tD\tE\tF\tG\t\tI\tJ\tK\tL\tM\t\tO\t\t\t\tS\tT\tU\tV\tW"
              "\tX\tY\t\ta\tb\tc\td\te\tf\tg\th\ti\tj\tk\tl\tm\tn\to\tp\tq\tr\ts\tt\tu\tv\tw\tx\t"
              "y\tz\tA\tB\tC\tD\tE\tF\tG\tH\tI\tJ\tK\tL\tM\tN\tO\tP\tQ\tR\tS\tT\tU\tV\tW\tX\tY\tZ"
              "\ta\tb\tc\td\te\tf\tg\th\ti\tj\tk\tl\tm\tn\to\tp\tq\tr\ts\tt\tu\tv\tw\tx\ty\tz\tA"
              "\tB\tC\tD\tE\tF\tG\tH\tI\tJ\tK\tL\tM\tN\tO\tP\tQ\tR\tS\tT\tU\tV\tW\tX\tY\tZ\ta\tb"
              "\tc\td\te\tf\tg\th\ti\tj\tk\tl\tm\tn\to\tp\tq\tr\ts\tt\tu\tv\tw\tx\ty\tz\tA\tB\tC"
              "\tD\tE\tF\tG\tH\tI\tJ\tK\tL\tM\tN\tO\tP\tQ\tR\tS\tT\tU\tV\tW\tX\tY\tZ\ta\tb\tc\td"
              "\te\tf\tg\th\ti\tj\tk\tl\tm\tn\to\tp\tq\tr\ts\tt\tu\tv\tw\tx\ty\tz\tA\tB\tC\tD\tE"
              "\tF\tG\tH\tI\tJ\tK\tL\tM\tN\tO\tP\tQ\tR\tS\tT\tU\tV\tW\tX\tY\tZ\ta\tb\tc\td\te\tf"
              "\tg\th\ti\tj\tk\tl\tm\tn\to\tp\tq\tr\ts\tt\tu\tv\tw\tx\ty\tz\tA\tB\tC\tD\tE\tF\tG"
              "\tH\tI\tJ\tK\tL\tM\tN\tO\tP\tQ\tR\tS\tT\tU\tV\tW\tX\tY\tZ\ta\tb\tc\td\te\tf\tg\th"
              "\ti\tj\tk\tl\tm\tn\to\tp\tq\tr\ts\tt\tu\tv\tw\tx\ty\tz\tA\tB\tC\tD\tE\tF\tG\tH\tI"
              "\tJ\tK\tL\tM\tN\tO\tP\tQ\tR\tS\tT\tU\tV\tW\tX\tY\tZ\ta\tb\tc\td\te\tf\tg\th\ti\tj"
              "\tk\tl\tm\tn\to\tp\tq\tr\ts\tt\tu\tv\tw\tx\ty\tz"},
    {0x1d7ce, "0\t1\t2\t3\t4\t5\t6\t7\t8\t9\t0\t1\t2\t3\t4\t5\t6\t7\t8\t9\t0\t1\t2\t3\t4\t5\t6\t7"
              "\t8\t9\t0\t1\t2\t3\t4\t5\t6\t7\t8\t9\t0\t1\t2\t3\t4\t5\t6\t7\t8\t9"},
};

enum { RUN_COUNT = sizeof runs / sizeof runs[0] };

// The last run that begins at character or before it.
static size_t run_find(uint32_t character)
{
    size_t low = 0, high = RUN_COUNT;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (runs[middle].first <= character) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

const char *gconv_ascii_of(uint32_t character, size_t *count)
{
    size_t run = run_find(character);
    const char *letters = runs[run].letters;
    if (character < runs[run].first) {
        return NULL;
    }
    for (uint32_t left = character - runs[run].first; left > 0; --left) {
        letters = strchr(letters, '\t');
        if (letters == NULL) {
            return NULL;
        }
        ++letters;
    }
    size_t length = strcspn(letters, "\t");
    *count = *letters == '\b' ? 0 : length;
    return length == 0 ? NULL : letters;
}
