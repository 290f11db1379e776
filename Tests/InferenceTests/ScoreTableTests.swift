// Score tables: what is read, and what every refusal says.
import Inference
import Testing

private func read(_ text: String, _ format: ScoreFormat? = nil, name: String = "scores") throws(ScoreTableError) -> ScoreTable {
    try ScoreTable.read(Array(text.utf8), format: format, source: name)
}

@Suite struct ScoreTableTests {
    @Test func readsColumnsByNameInAnyOrder() throws {
        let table = try read("label, logit ,note,group,id\n1,0.5,x,A,a\n,-1e-3,,\" B,b\",\"i,1\"\n0, 2 ,,,c\n")
        #expect(table.ids == [.string("a"), .string("i,1"), .string("c")])
        #expect(table.groups == ["A", " B,b", ""])
        #expect(table.logits == [0.5, -1e-3, 2])
        #expect(table.labels == [1, nil, 0])
        #expect(table.ignoredColumns == ["note"])
        #expect(table.numberedGroups().groups == [0, 1, -1])
        #expect(table.numberedGroups().names == ["A", " B,b"])
    }

    @Test(arguments: ["id,group,logit\n1,a,2\n2,b,3\n", "id,group,logit\r\n1,a,2\r\n\r\n2,b,3", "\u{FEFF}id,group,logit\r1,a,2\r2,b,3\r"])
    func acceptsEveryLineEndAndAByteOrderMark(_ text: String) throws {
        #expect(try read(text).logits == [2, 3])
        #expect(try read(text).ids == [.string("1"), .string("2")])
    }

    @Test func readsNDJSON() throws {
        let table = try read(
            """
            {"id":1,"group":{"Young":1,"Male":0},"logit":1.5,"label":1,"x":0}

            {"id":"b","group":"G","logit":-2,"label":null}
            {"group":null,"logit":0}
            {"id":"d","group":{"Male":null,"Young":1},"logit":1}
            """)
        #expect(table.ids == [.number("1"), .string("b"), .null, .string("d")])
        #expect(table.groups == ["Male=0,Young=1", "G", "", ""])
        #expect(table.logits == [1.5, -2, 0, 1])
        #expect(table.labels == [1, nil, nil, nil])
        #expect(table.ignoredColumns == ["x"])
    }

    @Test func decidesTheFormatByContentThenByName() {
        #expect(ScoreTable.detectFormat(Array("\n {\"id\":1}".utf8), source: "x.csv") == .ndjson)
        #expect(ScoreTable.detectFormat(Array("id,group,logit".utf8), source: "x.jsonl") == .ndjson)
        #expect(ScoreTable.detectFormat(Array("id,group,logit".utf8), source: "standard input") == .csv)
    }

    @Test(arguments: [
        ("", nil, nil, "is empty"),
        (" \n\n", nil, nil, "is empty"),
        ("id,group,logit\n", nil, nil, "no rows"),
        ("id,group,score\n1,a,1\n", 1, nil, "no column logit"),
        ("id,logit\n1,1\n", 1, nil, "unknown"),
        ("1,a,0.5\n2,b,0.5\n", 1, nil, "looks like data"),
        ("id;group;logit\n1;a;2\n", 1, nil, "separated by \";\""),
        ("id\tgroup\tlogit\n", 1, nil, "tabs"),
        ("id,group,logit,id\n1,a,1,1\n", 1, "id", "twice"),
        ("id,group,logit\n1,a,1\n2,b\n", 3, nil, "has 2 fields, the header has 3"),
        ("id,group,logit\n1,a,1,5\n", 2, nil, "has 4 fields"),
        ("id,group,logit\n1,a,abc\n", 2, "logit", "\"abc\" is not a number"),
        ("id,group,logit\n1,a,0x1p3\n", 2, "logit", "not a number"),
        ("id,group,logit\n1,a,\n", 2, "logit", "empty"),
        ("id,group,logit\n1,a,nan\n", 2, "logit", "not a finite number"),
        ("id,group,logit\n1,a,-Infinity\n", 2, "logit", "not a finite number"),
        ("id,group,logit\n1,a,1e999\n", 2, "logit", "beyond"),
        ("id,group,logit\n1,a,\"1,5\"\n", 2, "logit", "point"),
        ("id,group,logit,label\n\n1,a,1,2\n", 3, "label", "0 or 1"),
        ("id,group,logit\n\"x\ny\",a,1\nz,a,?\n", 4, "logit", "not a number"),
        ("id,group,logit\n1,\"a,1\n", 2, nil, "never closed"),
        ("id,group,logit\n1,\"a\"b,1\n", 2, nil, "closing quote"),
        ("[{\"id\":1}]", 1, nil, "jq"),
        ("{\"id\":1,\"group\":\"a\",\"logit\":1}\n{\"id\":2\n", 2, nil, "not valid JSON"),
        ("{\"id\":1,\"group\":\"a\"}", 1, "logit", "missing"),
        ("{\"id\":1,\"group\":\"a\",\"logit\":\"1\"}", 1, "logit", "not a number"),
        ("{\"id\":1,\"group\":\"a\",\"logit\":null}", 1, "logit", "null"),
        ("{\"id\":1,\"group\":[],\"logit\":1}", 1, "group", "an array"),
        ("{\"id\":[1],\"group\":\"a\",\"logit\":1}", 1, "id", "an array"),
        ("{\"id\":1,\"group\":\"a\",\"logit\":1,\"label\":3}", 1, "label", "0 or 1"),
        ("{\"id\":1}\n[2]", 1, "logit", "missing"),
    ] as [(String, Int?, String?, String)])
    func refuses(_ text: String, _ line: Int?, _ column: String?, _ part: String) {
        let error = #expect(throws: ScoreTableError.self) { try read(text) }
        guard let error else { return }
        #expect(error.line == line && error.column == column, "\(error)")
        #expect(error.description.hasPrefix("scores") && error.description.contains(part), "\(error)")
    }

    @Test func refusesOtherEncodings() {
        for bytes: [UInt8] in [Array("id,group,logit\n1,".utf8) + [0xE9] + Array(",1\n".utf8), [0xFF, 0xFE, 0x69, 0x00]] {
            let error = #expect(throws: ScoreTableError.self) { try ScoreTable.read(bytes, source: "s") }
            #expect(error?.reason.contains("save") == true && error?.reason.contains("UTF-8") == true)
        }
    }
}
