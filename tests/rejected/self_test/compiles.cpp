// says: anything
int main() {}
