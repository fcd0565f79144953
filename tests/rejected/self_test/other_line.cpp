// says: this reason
// line: 3

static_assert(sizeof(int) == 0, "this reason");
