// says: concatenation
static_assert(sizeof(int) == 0, "this reason");
