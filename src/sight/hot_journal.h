// A file that is being added to, or whose writer was ended by force while it did: what was there is in a journal beside it, and
// the next who may write puts it in order. Who only reads must refuse, since the pages are a mixture.
#pragma once

namespace tarn::sight {

inline constexpr const char* hot_journal_text =
    "it's being added to, or that was broken off by force: if nobody writes to it, sqlite3 puts it "
    "in order ('sqlite3 FILE "
    ".tables')";

}  // namespace tarn::sight
