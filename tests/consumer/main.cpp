#include <atrous/core/shape.hpp>

static_assert(elements(atrous::shape{.height = 2, .width = 3, .channels = 4}) == 24);

int main() {}
