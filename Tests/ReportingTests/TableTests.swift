import Reporting
import Testing

struct TableTests {
    static let table = {
        var table = Table(title: "Fruit", [.init("name", .left), .init("n")])
        table.append(["apple, red", "7"])
        table.append(["a|b \"c\"", "12"])
        return table
    }()

    @Test func text() {
        #expect(Self.table.text == "Fruit\nname         n\n----------  --\napple, red   7\na|b \"c\"     12")
    }

    @Test func markdown() {
        #expect(Self.table.markdown == "### Fruit\n\n| name | n |\n|---|---:|\n| apple, red | 7 |\n| a\\|b \"c\" | 12 |")
    }

    @Test func csvQuotesWhatNeedsIt() {
        #expect(Self.table.csv == "name,n\n\"apple, red\",7\n\"a|b \"\"c\"\"\",12\n")
    }
}
