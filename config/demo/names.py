"""Words that the demo's people, shops and streets are made of."""

FIRST = (
    "Ada Aisha Alma Amara Ana Andre Anika Arturo Beatriz Ben Bridget Camila Carlos Chloe Dalia Daniel Deborah Diego "
    "Dorothy Elena Eli Emeka Esther Fatima Felix Fiona Frank Gabriel Grace Greta Hana Harold Hugo Imani Ines Isaac "
    "Ivy Jamal Jane Javier Joan Jonas Joyce Judith Kai Karim Keiko Lars Leah Leon Lucia Mabel Malik Marcus Margaret "
    "Mateo Maya Mei Miriam Nadia Naomi Nathan Nina Noor Olga Omar Oscar Patricia Paul Priya Quentin Rachel Rafael "
    "Rosa Ruth Samir Sara Simon Sofia Stella Tariq Theo Tomas Uma Vera Victor Walter Wendy Yasmin Yusuf Zainab"
).split()
LAST = (
    "Abbott Adeyemi Ahmed Alvarez Baker Banerjee Barnes Becker Bianchi Boyd Brennan Castillo Chen Clarke Cohen Costa "
    "Dalton Das Diaz Dubois Edwards Eriksen Evans Farah Ferrari Fischer Flores Foster Garcia Gomez Green Gupta Haddad "
    "Hansen Harper Hassan Hughes Ibrahim Ito Jackson Jensen Johansson Kaplan Kelly Khan Kim Kowalski Lambert Larsen "
    "Lee Lopez Mackenzie Martin Mbeki Mendoza Meyer Moreau Morgan Murphy Nakamura Nelson Nguyen Novak Obi Okafor Ortiz "
    "Park Patel Pereira Quinn Ramirez Reid Rossi Ruiz Santos Schmidt Shah Silva Singh Sullivan Tanaka Torres Turner "
    "Vargas Wagner Walsh Weber Williams Wong Yamada Young Zhang"
).split()
# Real names are not ASCII; whoever stores, sorts or sends them has to cope.
WIDER = (
    ("Zoë", "Müller"), ("Łukasz", "Wójcik"), ("Thị Hoa", "Nguyễn"), ("Ọlá", "Adébáyọ̀"), ("Þórunn", "Ægisdóttir"),
    ("Siobhán", "O’Brien"), ("José María", "Ibáñez de la Peña"), ("小明", "王"), ("Дарья", "Ковалёва"),
    ("Nimat", "عبد الله"), ("Anne-Sophie", "D’Arcy"), ("Mc Kenna", "van der Berg"), ("X Æ", "Li"), ("Renée", "Çelik"),
)  # fmt: skip
SHOPS = (
    "Bakery", "Bookshop", "Canoe Club", "Dental Practice", "Elementary School", "Farm", "Garden Centre", "Hardware",
    "High School", "Insurance", "Law Office", "Library Friends", "Outfitters", "Paper Mill", "Rotary Club",
    "Tackle Shop",
)  # fmt: skip
PLACES = (
    "Alder", "Birchwood", "Cedar Hill", "Cold Spring", "Deer Creek", "Eastbank", "Fairview", "Heron Point", "Kingsley",
    "Lakeside", "Mill Pond", "Northgate", "Old Town", "Pine Street", "Riverbend", "Stonebridge", "Tall Oaks",
    "Westport",
)  # fmt: skip
STREETS = ("Mill Lane", "Alder Street", "River Road", "Birch Avenue", "Harbor Street", "Station Road", "Church Street")
TITLES = (
    "Teacher", "Retired", "Director", "Nurse", "Engineer", "Owner", "Editor", "Social worker", "Professor", "Student",
    "Accountant", "Ranger", "Librarian", "Programme officer",
)  # fmt: skip
MAIL_DOMAINS = ("rivermail.test", "oakpost.test", "brightmail.test", "oldtown.test", "lettermail.test")
TOWNS = (
    ("Portland", "OR", "97201"), ("Vancouver", "WA", "98660"), ("Salem", "OR", "97301"), ("Astoria", "OR", "97103"),
    ("Seattle", "WA", "98101"), ("Hood River", "OR", "97031"),
)  # fmt: skip
